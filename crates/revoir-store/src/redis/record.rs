//! What stands in Redis: keys, what is in front of a record, and the scripts that read and write both.

use std::sync::LazyLock;

use redis::{Cmd, Script, cmd};
use revoir_session::{Epoch, SessionId};

use crate::store::{Take, Write};

/// The form of what stands in front of a record. Records have a version of their own.
const VERSION: u8 = 1;

/// Version; generation, owner, number of the write, how long to keep it (ms), big-endian; and how many bytes follow that this
/// version does not know, and skips.
const HEAD_BYTES: usize = 34;

/// Sessions are parted by the first byte of their ids: what is of one part has one slot of a cluster.
pub(super) const PARTS: usize = 256;

/// Writes a record if nothing newer is there: 1 done, 0 fenced; and 2 more if the part has another epoch.
///
/// A write that was overtaken (it waited in a socket whose other end was given up) is no news, and nobody waits for
/// its answer.
const WRITE: &str = "\
local there, mine = redis.call('GETRANGE', KEYS[1], 0, 24), ARGV[1]
local epoch = redis.call('GET', KEYS[2]) == ARGV[4] and 0 or 2
if #there > 0 then
  if string.byte(there) ~= string.byte(mine) then return redis.error_reply('VERSION of the record is another one') end
  local _, generation, _, number
  _, generation, _, number = struct.unpack('>BI8I8I8', there)
  local claimed, said
  _, claimed, _, said = struct.unpack('>BI8I8I8', mine)
  if generation == claimed then
    if string.sub(there, 10, 17) ~= string.sub(mine, 10, 17) then return epoch end
    if number >= said then return epoch + 1 end
  elseif generation > tonumber(ARGV[2]) then return epoch end
end
local keep = tonumber(ARGV[3])
if keep > 0 then redis.call('SET', KEYS[1], mine, 'PX', keep) else redis.call('DEL', KEYS[1]) end
return epoch + 1";

/// What there is of a session, how long it will be there, and the epoch of its part.
const READ: &str =
    "return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1]), redis.call('GET', KEYS[2])}";

/// Takes a session whose generation is the first argument, or that this owner has taken already, and reads it as [`READ`] does. The
/// second argument is the head up to the time of the last write, with the new generation, owner and number of the write; what stands
/// behind that, and the time to live, stay.
const TAKE: &str = "\
local there, left = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
local epoch = redis.call('GET', KEYS[2])
if not there then return {there, left, epoch} end
if string.byte(there) ~= string.byte(ARGV[2]) then return redis.error_reply('VERSION of the record is another one') end
if string.sub(there, 2, 9) ~= ARGV[1] and string.sub(there, 2, 17) ~= string.sub(ARGV[2], 2, 17) then return {false, left, epoch} end
local taken = ARGV[2] .. string.sub(there, 26)
redis.call('SET', KEYS[1], taken, 'KEEPTTL')
return {taken, left, epoch}";

/// The epoch of a part: the one that is there, or this one.
const BEGIN: &str = "redis.call('SETNX', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])";

/// Which part a session is of.
pub(super) const fn part_of(session: SessionId) -> usize {
    session.0[0] as usize
}

fn record_key(session: SessionId) -> String {
    let [part, ..] = session.0;
    let id = u128::from_be_bytes(session.0);
    format!("revoir:{{{part:02x}}}:{id:032x}")
}

fn epoch_key(part: usize) -> String {
    format!("revoir:{{{part:02x}}}")
}

/// What stands in front of a record.
pub(super) struct Head {
    pub(super) generation: u64,
    pub(super) owner: u64,
    pub(super) keep_ms: u64,
}

impl Head {
    /// With the record behind it. `Err`: it was written by another version.
    pub(super) fn decode(bytes: &[u8]) -> Result<(Self, &[u8]), String> {
        let version = bytes.first().copied().unwrap_or(0);
        if version != VERSION {
            return Err(format!(
                "a record has version {version}, this program knows {VERSION}"
            ));
        }
        let split = bytes.split_first_chunk::<HEAD_BYTES>();
        let (head, rest) = split.ok_or("a record is too short")?;
        let number = |at: usize| {
            let number = head[at..at + 8].try_into();
            number.map_or(0, u64::from_be_bytes)
        };
        let record = rest.get(usize::from(head[33])..);
        Ok((
            Self {
                generation: number(1),
                owner: number(9),
                keep_ms: number(25),
            },
            record.ok_or("a record is too short")?,
        ))
    }
}

/// `write` as what the script wants; `number` is above those of all writes before it.
pub(super) fn write_command(write: &Write, number: u64, epoch: Epoch, whole: bool) -> Cmd {
    let keep = u64::try_from(write.keep.as_millis()).unwrap_or(u64::MAX);
    // What Redis takes for a time.
    let keep = keep.min(u64::from(u32::MAX) * 1000);
    let mut value = Vec::with_capacity(HEAD_BYTES + write.record.len());
    value.push(VERSION);
    for number in [write.generation, write.owner, number, keep] {
        value.extend_from_slice(&number.to_be_bytes());
    }
    value.push(0);
    value.extend_from_slice(&write.record);
    let (name, script) = match whole {
        true => ("EVAL", WRITE),
        false => ("EVALSHA", write_hash()),
    };
    let mut command = cmd(name);
    command.arg(script).arg(2);
    command.arg(record_key(write.session));
    command.arg(epoch_key(part_of(write.session)));
    command.arg(value).arg(write.expects).arg(keep);
    command.arg(&epoch.0[..]);
    command
}

fn write_hash() -> &'static str {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(WRITE));
    SCRIPT.get_hash()
}

pub(super) fn read_command(session: SessionId) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(READ).arg(2).arg(record_key(session));
    command.arg(epoch_key(part_of(session)));
    command
}

/// `take` as what the script wants; `number` is above those of all writes before it.
pub(super) fn take_command(take: Take, number: u64) -> Cmd {
    let mut claimed = vec![VERSION];
    for number in [take.generation, take.owner, number] {
        claimed.extend_from_slice(&number.to_be_bytes());
    }
    let mut command = cmd("EVAL");
    command.arg(TAKE).arg(2).arg(record_key(take.session));
    command.arg(epoch_key(part_of(take.session)));
    command.arg(&take.expects.to_be_bytes()).arg(claimed);
    command
}

pub(super) fn begin_command(part: usize, epoch: Epoch) -> Cmd {
    let mut command = cmd("EVAL");
    command.arg(BEGIN).arg(1).arg(epoch_key(part));
    command.arg(&epoch.0[..]);
    command
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn written(extra: &[u8]) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        for number in [3_u64, 7, 1, 60_000] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        bytes.push(u8::try_from(extra.len()).unwrap());
        bytes.extend_from_slice(extra);
        bytes.extend_from_slice(b"record");
        bytes
    }

    #[test]
    fn what_a_later_writer_added_is_skipped() {
        for extra in [&b""[..], b"something new"] {
            let bytes = written(extra);
            let (head, record) = Head::decode(&bytes).unwrap();
            assert_eq!((head.generation, head.owner, head.keep_ms), (3, 7, 60_000));
            assert_eq!(record, b"record");
        }
    }

    #[test]
    fn another_version_and_a_broken_record_are_told() {
        let mut later = written(b"");
        later[0] = 2;
        for bytes in [
            &later[..],
            b"",
            &[VERSION],
            &written(b"abc")[..HEAD_BYTES + 1],
        ] {
            assert!(Head::decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn what_belongs_to_a_session_has_one_slot() {
        let write = Write {
            session: SessionId([0xab; 16]),
            expects: 1,
            generation: 2,
            owner: 3,
            record: bytes::Bytes::from_static(b"record"),
            keep: Duration::MAX,
        };
        let packed = write_command(&write, 1, Epoch([9; 8]), false).get_packed_command();
        let packed = String::from_utf8_lossy(&packed).into_owned();
        assert!(packed.contains("revoir:{ab}:abababab"), "{packed}");
        assert!(packed.contains("\r\nrevoir:{ab}\r\n"), "{packed}");
        assert!(packed.contains("4294967295000"), "{packed}");
    }
}
