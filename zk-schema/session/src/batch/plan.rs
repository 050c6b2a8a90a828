//! From operations to requests: what may be bundled is, and nothing changes its place.

use barnabas_zk_schema::{ZkOp, ZkPath, ZkRead, ZkWrite};

use super::request::Request;
use crate::command::REQUEST_SIZE_BYTES_MAX;

/// Paths in one `MultiRead`, at most.
pub const MULTI_READ_PATHS_MAX: usize = 100;

/// Changes in one pack of multis, at most.
pub const PACK_WRITES_MAX: usize = 100;

/// Size of a bundle, bytes, at most: a part of the limit leaves room for the chroot in every path.
const BUNDLE_SIZE_BYTES_MAX: usize = REQUEST_SIZE_BYTES_MAX / 4;

/// Turns operations into requests without changing their order. Neighbouring reads of data become
/// `MultiRead`s; neighbouring multis behind the same check become packs where `is_packed` says so.
pub(super) fn plan(ops: Vec<ZkOp>, is_packed: bool) -> Vec<Request> {
    let mut requests: Vec<Request> = Vec::new();
    for (place, op) in ops.into_iter().enumerate() {
        match (op, requests.last_mut()) {
            (ZkOp::Read(ZkRead::Data(path)), Some(Request::MultiRead { paths, .. }))
                if has_room(paths, &path) =>
            {
                paths.push(path);
            }
            (ZkOp::Read(ZkRead::Data(path)), _) => {
                requests.push(Request::MultiRead {
                    first_place: place,
                    paths: vec![path],
                });
            }
            (ZkOp::Multi(writes), Some(Request::Pack { multis, .. })) if fits(multis, &writes) => {
                multis.push(writes);
            }
            (ZkOp::Multi(writes), _) if is_packed && is_packable(&writes) => {
                requests.push(Request::Pack {
                    first_place: place,
                    multis: vec![writes],
                });
            }
            (op @ (ZkOp::Read(_) | ZkOp::Write(_) | ZkOp::Multi(_)), _) => {
                requests.push(Request::One { place, op });
            }
        }
    }
    requests.into_iter().map(unwrap_single).collect()
}

/// A bundle of one is that one.
fn unwrap_single(request: Request) -> Request {
    match request {
        Request::MultiRead {
            first_place: place,
            paths,
        } => match <[ZkPath; 1]>::try_from(paths) {
            Ok([path]) => Request::One {
                place,
                op: ZkOp::Read(ZkRead::Data(path)),
            },
            Err(paths) => Request::MultiRead {
                first_place: place,
                paths,
            },
        },
        Request::Pack {
            first_place: place,
            multis,
        } => match <[Vec<ZkWrite>; 1]>::try_from(multis) {
            Ok([writes]) => Request::One {
                place,
                op: ZkOp::Multi(writes),
            },
            Err(multis) => Request::Pack {
                first_place: place,
                multis,
            },
        },
        one @ Request::One { .. } => one,
    }
}

fn has_room(paths: &[ZkPath], path: &ZkPath) -> bool {
    let size_bytes: usize = paths
        .iter()
        .chain([path])
        .map(|path| path.as_str().len())
        .sum();
    paths.len() < MULTI_READ_PATHS_MAX && size_bytes < BUNDLE_SIZE_BYTES_MAX
}

fn is_packable(writes: &[ZkWrite]) -> bool {
    matches!(writes, [ZkWrite::Check { .. }, _, ..])
}

/// Whether a multi may join a pack: the same check, and room.
fn fits(multis: &[Vec<ZkWrite>], writes: &[ZkWrite]) -> bool {
    let is_same_check = multis.first().and_then(|one| one.first()) == writes.first();
    let all = || multis.iter().flatten().chain(writes);
    is_packable(writes)
        && is_same_check
        && all().count() <= PACK_WRITES_MAX
        && all().map(ZkWrite::size_bytes).sum::<usize>() < BUNDLE_SIZE_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use barnabas_zk_schema::{CreateMode, Expected, ZkVersion};

    use super::*;

    fn read(path: &str) -> ZkOp {
        ZkOp::Read(ZkRead::Data(path.into()))
    }

    fn exists(path: &str) -> ZkOp {
        ZkOp::Read(ZkRead::Exists(path.into()))
    }

    fn delete(path: &str) -> ZkWrite {
        ZkWrite::Delete {
            path: path.into(),
            expected: Expected::Any,
        }
    }

    fn fenced(version: i32, path: &str) -> ZkOp {
        let check = ZkWrite::Check {
            path: "/fence".into(),
            version: ZkVersion(version),
        };
        ZkOp::Multi(vec![check, delete(path)])
    }

    /// How many operations each request carries, in order.
    #[track_caller]
    fn check(ops: Vec<ZkOp>, is_packed: bool, expected: &[usize]) {
        let count = ops.len();
        let requests = plan(ops, is_packed);
        let lengths: Vec<usize> = requests.iter().map(Request::len).collect();
        assert_eq!(lengths, expected, "{requests:?}");
        let mut place = 0;
        for request in &requests {
            assert_eq!(request.first_place(), place);
            place += request.len();
        }
        assert_eq!(place, count);
    }

    #[test]
    fn neighbouring_reads_of_data_go_together() {
        check(vec![read("/a"), read("/b")], false, &[2]);
        check(
            vec![read("/a"), exists("/b"), read("/c")],
            false,
            &[1, 1, 1],
        );
        check(
            (0..250).map(|_| read("/a")).collect(),
            false,
            &[100, 100, 50],
        );
        check(
            (0..5).map(|_| read(&"x".repeat(100_000))).collect(),
            false,
            &[2, 2, 1],
        );
    }

    #[test]
    fn multis_are_packed_behind_one_check_and_only_where_asked() {
        let ops = || {
            vec![
                fenced(1, "/a"),
                fenced(1, "/b"),
                fenced(2, "/c"),
                fenced(2, "/d"),
            ]
        };
        check(ops(), false, &[1, 1, 1, 1]);
        check(ops(), true, &[2, 2]);
        check(
            vec![fenced(1, "/a"), read("/x"), fenced(1, "/b")],
            true,
            &[1, 1, 1],
        );
        check(
            vec![
                ZkOp::Multi(vec![delete("/a")]),
                ZkOp::Multi(vec![delete("/b")]),
            ],
            true,
            &[1, 1],
        );
        check(
            (0..120).map(|_| fenced(1, "/a")).collect(),
            true,
            &[50, 50, 20],
        );
    }

    #[test]
    fn a_pack_is_far_from_the_limit_of_a_request() {
        let big = |_| {
            let create = ZkWrite::Create {
                path: "/big".into(),
                data: vec![0; 100_000],
                mode: CreateMode::Persistent,
            };
            ZkOp::Multi(vec![
                ZkWrite::Check {
                    path: "/f".into(),
                    version: ZkVersion(1),
                },
                create,
            ])
        };
        check((0..5).map(big).collect(), true, &[2, 2, 1]);
    }
}
