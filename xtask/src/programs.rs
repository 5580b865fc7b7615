//! The programs of the workspace, from one build that every step shares.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Context;

use crate::process::Running;

/// The folder with the programs of this workspace.
#[derive(Clone, Debug)]
pub(crate) struct Programs {
    folder: PathBuf,
}

impl Programs {
    /// Builds what is out of date. With the examples, and so with the features that the tests need:
    /// what `cargo test` has compiled is not compiled again.
    pub(crate) fn build(deadline: Instant) -> anyhow::Result<Self> {
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--workspace", "--bins", "--examples"])
            .current_dir(crate::root());
        Running::start(&mut cargo)?.succeed(deadline)?;
        Self::built()
    }

    /// The programs as they are: this one is among them.
    pub(crate) fn built() -> anyhow::Result<Self> {
        let own = std::env::current_exe().context("find this program")?;
        let folder = own.parent().context("this program is in no folder")?;
        Ok(Self {
            folder: folder.to_owned(),
        })
    }

    /// Where they are.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A program by its name.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        executable(&self.folder, name)
    }

    /// An example by its name.
    pub(crate) fn example(&self, name: &str) -> PathBuf {
        executable(&self.folder.join("examples"), name)
    }
}

fn executable(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX))
}
