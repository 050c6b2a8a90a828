//! Faults in a map.

use crate::support::*;
use barnabas_log::error::{AppendError, LogError};
use barnabas_log::files::{DiskFiles, Files, Open};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

#[test]
fn a_store_beyond_the_end_of_the_file_is_an_error_and_not_death() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("segment");
    let file = DiskFiles.open(&path, Open::New).unwrap();
    file.allocate(0, 1 << 20).unwrap();
    let mut map = file.map(1 << 20).unwrap();
    map.write(&[b"sound"], 8192).unwrap();
    fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(4096)
        .unwrap();
    assert!(map.write(&[&[7; 10_000]], 8192).is_err());
    assert!(
        map.write(&[b"sound"], 0).is_err(),
        "what failed once is not trusted again"
    );
    let mut other = file.map(1 << 20).unwrap();
    other.write(&[b"sound"], 0).unwrap();
    assert!(
        other.write(&[b"far"], (1 << 20) - 1).is_err(),
        "beyond the reservation"
    );
}

#[test]
fn a_segment_cut_by_someone_else_takes_the_directory_offline() {
    let place = Place::new(small());
    let (log, _) = place.open(0);
    fill(&log, &batch(&[(NOW_MS, b"value")]));
    let path = place.path("00000000000000000000.log");
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(0)
        .unwrap();
    let error = append(&log, &batch(&[(NOW_MS, b"more")])).unwrap_err();
    assert!(
        matches!(error, AppendError::Log(LogError::Offline(_))),
        "{error}"
    );
    let failure = log.health().failure().unwrap().to_string();
    assert!(failure.contains("SIGBUS"), "{failure}");
}

/// Control of the two above: a fault elsewhere in the process still kills it.
#[test]
fn a_fault_in_somebody_elses_map_is_not_swallowed() {
    const CHILD: &str = "BARNABAS_TEST_FOREIGN_FAULT";
    if std::env::var_os(CHILD).is_some() {
        return fault_in_a_foreign_map();
    }
    let name = "sigbus::a_fault_in_somebody_elses_map_is_not_swallowed";
    let child = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    assert_eq!(child.status.signal(), Some(libc::SIGBUS), "{child:?}");
}

fn fault_in_a_foreign_map() {
    a_store_beyond_the_end_of_the_file_is_an_error_and_not_death();
    let file = tempfile::tempfile().unwrap();
    file.set_len(8192).unwrap();
    #[expect(unsafe_code, reason = "the foreign map")]
    // SAFETY: the file is ours; that it is cut below is the point.
    let mut map = unsafe { memmap2::MmapMut::map_mut(&file) }.unwrap();
    file.set_len(0).unwrap();
    map.fill(1);
    assert!(map.is_empty(), "the fault was survived");
}
