//! [`abreast`]: tasks side by side.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

/// Does `work` for every task, `many` at a time. They begin in their order.
pub(crate) fn abreast<T: Send>(
    many: usize,
    tasks: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) + Sync,
) {
    let waiting = Mutex::new(tasks.into_iter());
    // Apart: in the head of a `while let`, the lock would be held for as long as the task takes.
    let next = || lock(&waiting).next();
    thread::scope(|scope| {
        for _ in 0..many {
            scope.spawn(|| {
                while let Some(task) = next() {
                    work(task);
                }
            });
        }
    });
}

/// What a mutex has, also after a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::time::Duration;

    use super::*;

    #[test]
    fn two_at_a_time_meet() {
        let ((say, hear), (answer, heard)) = (channel(), channel());
        abreast(2, [(say, heard), (answer, hear)], |(say, hear)| {
            say.send(()).expect("the other one listens");
            hear.recv_timeout(Duration::from_secs(60))
                .expect("the other one is under way, too");
        });
    }

    #[test]
    fn each_is_done_once() {
        let done = Mutex::new(Vec::new());
        abreast(3, 0..20, |task| lock(&done).push(task));
        let mut done = done.into_inner().expect("nothing panicked");
        done.sort_unstable();
        assert_eq!(done, (0..20).collect::<Vec<_>>());
    }
}
