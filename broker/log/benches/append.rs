//! Appending 1 GiB to fresh segments, beside the least that such an append can cost.
//!
//! ```text
//! cargo bench -p barnabas-log --bench append [-- [rounds=5] [kib=16] [files=500] [full-cache]]
//! ```
//!
//! Five variants, alternating, in one process, each right after as many pages were used and given
//! back. The first round is dropped; medians of the others. `full-cache` fills the page cache first,
//! so that every page has to be reclaimed. `files` spreads the gigabyte over so many logs or files,
//! written in turn.
//!
//! | variant | what it does |
//! |---|---|
//! | log-alone | `PartitionLog::try_append`, which runs its room requests itself; its limit is inline |
//! | log | `PartitionLog::try_append`, its room requests run by a second thread |
//! | bare | allocate, populate a step ahead on a second thread, copy |
//! | inline | the same on one thread |
//! | pwrite | a growing file |
#![expect(clippy::unwrap_used, reason = "a benchmark that fails may stop")]
#![expect(
    clippy::indexing_slicing,
    reason = "arrays of five variants, and lines of /proc"
)]
#![expect(
    clippy::cast_possible_truncation,
    reason = "counts of 64 bits on 64 bits"
)]
#![expect(clippy::print_stdout, reason = "its result")]

use barnabas_log::files::{DiskFiles, Files, Map, Open, OpenFile, Pages};
use barnabas_log::health::DirectoryHealth;
use barnabas_log::partition_log::{LeaderAppend, OpenLog, PartitionLog, RoomRequest, TryAppend};
use barnabas_log::producer_state::AppendOrigin;
use barnabas_log::settings::LogSettings;
use barnabas_wire::id::{LeaderEpoch, Offset, PartitionId, TopicPartition};
use barnabas_wire::record::{Batch, BatchBuilder, Compression, TimestampType, Validated};
use bytes::Bytes;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

const TOTAL_BYTES: u64 = 1 << 30;
const STEP_BYTES: u64 = 16 << 20;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let rounds = arguments
        .iter()
        .find_map(|word| word.strip_prefix("rounds=")?.parse().ok());
    let rounds: usize = rounds.unwrap_or(5);
    let files = arguments
        .iter()
        .find_map(|word| word.strip_prefix("files=")?.parse().ok());
    let files: u64 = files.unwrap_or(1);
    let parent = std::env::var_os("BENCH_DIR").map_or_else(std::env::temp_dir, Into::into);
    let root = tempfile::tempdir_in(parent).unwrap();
    if arguments.iter().any(|word| word == "full-cache") {
        fill_page_cache(&root.path().join("ballast"));
    }
    println!("1 GiB, medians of {rounds}, MB/s (share of the limit, CPU seconds)");
    let sizes = arguments
        .iter()
        .find_map(|word| word.strip_prefix("kib=")?.parse().ok());
    for batch_size in sizes.map_or_else(|| vec![1, 16, 128], |size: usize| vec![size]) {
        measure(root.path(), batch_size << 10, rounds, files);
    }
}

type Variant = fn(&Path, &Bytes, u64);

fn measure(root: &Path, batch_size: usize, rounds: usize, files: u64) {
    let variants: [(&str, Variant); 5] = [
        ("log-alone", by_log_alone),
        ("inline", by_inline_loop),
        ("log", by_log),
        ("bare", by_bare_loop),
        ("pwrite", by_pwrite),
    ];
    let only = std::env::var("BENCH_ONLY").ok();
    let batch = batch(batch_size);
    let mut seconds: [Vec<[f64; 2]>; 5] = Default::default();
    for round in 0..=rounds {
        for (index, (name, run)) in variants.iter().enumerate() {
            let directory = root.join(name);
            if only.as_ref().is_some_and(|only| only != name) {
                continue;
            }
            warm_up(root, &batch, files);
            std::fs::create_dir(&directory).unwrap();
            let (began, cpu) = (Instant::now(), cpu_seconds());
            run(&directory, &batch, files);
            let took = [began.elapsed().as_secs_f64(), cpu_seconds() - cpu];
            std::fs::remove_dir_all(&directory).unwrap();
            if round > 0 {
                seconds[index].push(took);
            }
        }
    }
    let median = |taken: &[[f64; 2]], kind: usize| {
        let mut taken: Vec<f64> = taken.iter().map(|taken| taken[kind]).collect();
        taken.sort_by(f64::total_cmp);
        taken.get(taken.len() / 2).copied().unwrap_or(f64::NAN)
    };
    print!("{:>4} KiB batches:", batch_size >> 10);
    for ((name, _), taken) in variants.iter().zip(&seconds) {
        let rate = TOTAL_BYTES as f64 / 1e6 / median(taken, 0);
        let limit = if name.ends_with("alone") { 1 } else { 3 };
        let share = 100.0 * median(&seconds[limit], 0) / median(taken, 0);
        print!(
            "  {name} {rate:.0} ({share:.0} %, {:.2} s)",
            median(taken, 1)
        );
    }
    println!();
}

/// Takes a gigabyte of pages and gives them back: on a virtual machine the host may have taken away
/// what was free for a while, and the variant that comes next would pay for its return.
fn warm_up(root: &Path, batch: &Bytes, files: u64) {
    // Many small files may be allocated twice as large as they get.
    let names = if files == 1 { 1 } else { 3 };
    let directories: Vec<_> = (0..names)
        .map(|name| root.join(format!("warm-up-{name}")))
        .collect();
    for directory in &directories {
        std::fs::create_dir(directory).unwrap();
        by_inline_loop(directory, batch, 1);
    }
    for directory in &directories {
        std::fs::remove_dir_all(directory).unwrap();
    }
}

/// CPU time of this process and all its threads.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks = |index: usize| fields[index].parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// A batch of about `size` bytes, of records of 100 bytes.
fn batch(size: usize) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None, size);
    let value = [0x5a; 100];
    while builder.size_bytes() + 110 < size {
        builder
            .append(1_700_000_000_000, None, Some(&value), [])
            .unwrap();
    }
    let last = vec![0x5a; size - builder.size_bytes() - 9];
    builder
        .append(1_700_000_000_000, None, Some(&last), [])
        .unwrap();
    builder.build().unwrap()
}

fn open_log(directory: &Path, number: u64) -> PartitionLog {
    let directory = directory.join(format!("bench-{number}"));
    std::fs::create_dir(&directory).unwrap();
    let open = OpenLog {
        topic_partition: TopicPartition::new("bench", PartitionId(0)),
        health: Arc::new(DirectoryHealth::new(directory.clone())),
        directory,
        files: Arc::new(DiskFiles),
        settings: LogSettings::default(),
        recovery_point: Offset(0),
        log_start_offset: Offset(0),
        is_clean: false,
        cut_below_recovery_point: false,
        now_ms: 0,
    };
    PartitionLog::open(open).unwrap().0
}

fn by_log(directory: &Path, bytes: &Bytes, files: u64) {
    let (sender, requests) = mpsc::channel::<RoomRequest>();
    let pool = std::thread::spawn(move || requests.into_iter().for_each(RoomRequest::run));
    append_all(directory, bytes, files, |room| sender.send(room).unwrap());
    drop(sender);
    pool.join().unwrap();
}

fn by_log_alone(directory: &Path, bytes: &Bytes, files: u64) {
    append_all(directory, bytes, files, RoomRequest::run);
}

fn append_all(directory: &Path, bytes: &Bytes, files: u64, mut make_room: impl FnMut(RoomRequest)) {
    let logs: Vec<PartitionLog> = (0..files)
        .map(|number| open_log(directory, number))
        .collect();
    let batch = Batch::parse(bytes).unwrap();
    let validated = Validated {
        batch,
        timestamp_type: TimestampType::CreateTime,
        max_timestamp_ms: batch.max_timestamp_ms(),
        max_timestamp_offset_delta: 0,
        rebuild: None,
    };
    let append = LeaderAppend {
        batch: &validated,
        leader_epoch: LeaderEpoch(0),
        origin: AppendOrigin::Client,
        now_ms: 1_700_000_000_000,
    };
    let mut waits = 0;
    for log in logs
        .iter()
        .cycle()
        .take((TOTAL_BYTES / bytes.len() as u64) as usize)
    {
        let appended = match log.try_append(&append).unwrap() {
            TryAppend::Done(appended) => appended,
            TryAppend::NeedsRoom => {
                waits += 1;
                log.append(&append).unwrap()
            }
        };
        if let Some(room) = appended.room {
            make_room(room);
        }
    }
    if std::env::var_os("BENCH_WAITS").is_some() {
        println!("waited for room {waits} times");
    }
}

/// A file that is allocated and populated in steps.
struct Bare {
    file: Arc<dyn OpenFile>,
    pages: Arc<dyn Pages>,
    ready: AtomicU64,
}

impl Bare {
    fn create(directory: &Path) -> (Arc<Self>, Box<dyn Map>) {
        let file = DiskFiles.open(&directory.join("bare"), Open::New).unwrap();
        let map = file.map(TOTAL_BYTES).unwrap();
        (
            Arc::new(Self {
                file,
                pages: map.pages(),
                ready: AtomicU64::new(0),
            }),
            map,
        )
    }

    fn step(&self) {
        let ready = self.ready.load(Ordering::Acquire);
        let step = STEP_BYTES.min(TOTAL_BYTES - ready);
        if step > 0 {
            self.file.allocate(ready, step).unwrap();
            self.pages.populate(ready, step).unwrap();
            self.ready.store(ready + step, Ordering::Release);
        }
    }
}

fn by_bare_loop(directory: &Path, bytes: &Bytes, _files: u64) {
    let (bare, mut map) = Bare::create(directory);
    let (sender, requests) = mpsc::channel::<()>();
    let helper = bare.clone();
    let thread = std::thread::spawn(move || requests.into_iter().for_each(|()| helper.step()));
    sender.send(()).unwrap();
    let mut asked = STEP_BYTES;
    let mut position = 0;
    for _ in 0..TOTAL_BYTES / bytes.len() as u64 {
        let end = position + bytes.len() as u64;
        while asked < (end + STEP_BYTES).min(TOTAL_BYTES) {
            sender.send(()).unwrap();
            asked += STEP_BYTES;
        }
        while bare.ready.load(Ordering::Acquire) < end {
            std::thread::yield_now();
        }
        map.write(&[bytes], position).unwrap();
        position = end;
    }
    drop(sender);
    thread.join().unwrap();
}

fn by_inline_loop(directory: &Path, bytes: &Bytes, _files: u64) {
    let (bare, mut map) = Bare::create(directory);
    let mut position = 0;
    for _ in 0..TOTAL_BYTES / bytes.len() as u64 {
        let end = position + bytes.len() as u64;
        while bare.ready.load(Ordering::Acquire) < end {
            bare.step();
        }
        map.write(&[bytes], position).unwrap();
        position = end;
    }
}

fn by_pwrite(directory: &Path, bytes: &Bytes, files: u64) {
    let open = |number| {
        DiskFiles
            .open(&directory.join(format!("{number}")), Open::New)
            .unwrap()
    };
    let files: Vec<_> = (0..files).map(open).collect();
    let count = TOTAL_BYTES / bytes.len() as u64;
    for (index, file) in (0..count).zip(files.iter().cycle()) {
        let position = index / files.len() as u64 * bytes.len() as u64;
        file.write_at(&[bytes], position).unwrap();
    }
}

/// Fills the page cache with clean pages: an allocated file that was never written reads as zeros
/// and needs no disk.
fn fill_page_cache(path: &Path) {
    let file = DiskFiles.open(path, Open::New).unwrap();
    let available = meminfo("MemAvailable");
    file.allocate(0, available).unwrap();
    let began = Instant::now();
    let mut reader = std::fs::File::open(path).unwrap();
    std::io::copy(&mut reader, &mut std::io::sink()).unwrap();
    let free = meminfo("MemFree") >> 20;
    println!(
        "page cache filled in {:.0} s, {free} MiB free",
        began.elapsed().as_secs_f64()
    );
    std::thread::sleep(Duration::from_secs(1));
}

/// A line of `/proc/meminfo`, in bytes.
fn meminfo(name: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/meminfo").unwrap();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace()
        .nth(1)
        .unwrap()
        .parse::<u64>()
        .unwrap()
        << 10
}
