//! Commands as a person would type them, and what they answered.

use std::ffi::OsStr;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a command printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Exit code; -1 where a signal ended it.
    pub code: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

impl Answer {
    /// Asserts that the command ended with 0, and returns its output.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.out
    }
}

/// Runs a program to its end.
pub fn run<S: AsRef<OsStr>>(program: &Path, arguments: &[S]) -> Answer {
    run_with_input(program, arguments, b"")
}

/// Runs a program to its end with `input` on its standard input.
pub fn run_with_input<S: AsRef<OsStr>>(program: &Path, arguments: &[S], input: &[u8]) -> Answer {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command
        .spawn()
        .unwrap_or_else(|error| panic!("{}: {error}", program.display()));
    let mut stdin = child.stdin.take().expect("a pipe");
    let input = input.to_vec();
    // A thread of its own, or a child that writes before it has read all would wait for ever. It
    // may also end without reading: then this write fails, which is the child's affair.
    let writer = std::thread::spawn(move || stdin.write_all(&input).is_ok());
    let output = child.wait_with_output().expect("a child can be waited for");
    writer.join().expect("the writer ends");
    Answer {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Debian's kcat.
pub fn kcat(arguments: &[&str], input: &[u8]) -> Answer {
    assert!(
        Path::new("/usr/bin/kcat").exists(),
        "kcat is missing: apt-get install kcat"
    );
    run_with_input(Path::new("/usr/bin/kcat"), arguments, input)
}

/// A Python program of `tests/interop`, with kafka-python and confluent-kafka at hand.
pub fn python(script: &str, arguments: &[&str]) -> Answer {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let interpreter = std::env::var_os("BARNABAS_PYTHON").map_or_else(
        || root.join("../.barnabas/python/bin/python"),
        PathBuf::from,
    );
    assert!(
        interpreter.exists(),
        "{} is missing: `./x test` makes it",
        interpreter.display()
    );
    let script = root.join("interop").join(script);
    let script = script.to_str().expect("the checkout's path is text");
    let all: Vec<&str> = [script]
        .into_iter()
        .chain(arguments.iter().copied())
        .collect();
    run(&interpreter, &all)
}
