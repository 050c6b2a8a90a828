//! The last hand on every child: a shell that outlives the test binary just long enough.
//!
//! A test binary may die by a panic in another thread, by Ctrl-C or by kill -9, and statics are
//! never dropped. So every child is written to one waiting shell; when its standard input closes,
//! which is when the test binary is gone, it kills what is left and removes their directories.
//! (`PR_SET_PDEATHSIG` would not do: it fires when the *thread* ends that started the child.)

use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

/// Reads lines `start PID`, `end PID`, `remove DIRECTORY` and `container ID` until the end of input.
const SCRIPT: &str = r#"
trap '' INT TERM HUP
alive=' '; folders=''; containers=''
while read -r verb what; do
    case $verb in
        start) alive="$alive$what " ;;
        end) alive="${alive%% $what *} ${alive#* $what }" ;;
        remove) folders="$folders$what
" ;;
        container) containers="$containers $what" ;;
    esac
done
for pid in $alive; do kill -KILL "$pid"; done
for one in $containers; do docker rm -f "$one"; done
printf '%s' "$folders" | while read -r folder; do rm -rf -- "$folder"; done
"#;

static GUARD: OnceLock<Mutex<Child>> = OnceLock::new();

fn tell(line: &str) {
    let guard = GUARD.get_or_init(|| {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Mutex::new(shell.expect("`sh` starts"))
    });
    let mut shell = guard.lock().unwrap_or_else(PoisonError::into_inner);
    let input = shell.stdin.as_mut().expect("the guard's input is piped");
    writeln!(input, "{line}").expect("the guard listens");
}

/// Has the process killed when this test binary is gone.
pub(super) fn started(pid: u32) {
    tell(&format!("start {pid}"));
}

/// Takes a process back that was waited for: its id may belong to another one soon.
pub(super) fn ended(pid: u32) {
    tell(&format!("end {pid}"));
}

/// Has a directory of this test binary removed when the binary is gone.
pub(crate) fn remove_at_exit(directory: &Path) {
    let temporary = std::env::temp_dir();
    assert!(
        directory.starts_with(&temporary) && directory != temporary,
        "{} is not inside {}",
        directory.display(),
        temporary.display()
    );
    tell(&format!("remove {}", directory.display()));
}

/// Has a container removed when the binary is gone, by the `docker` tool.
#[cfg(feature = "docker")]
pub(crate) fn remove_container_at_exit(id: &str) {
    tell(&format!("container {id}"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::liveness;

    /// Runs the script with these lines and waits for its end.
    fn run(lines: &str) {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        shell
            .stdin
            .take()
            .unwrap()
            .write_all(lines.as_bytes())
            .unwrap();
        assert!(shell.wait().unwrap().success());
    }

    #[test]
    fn what_was_started_and_not_ended_is_killed_at_the_end_of_input() {
        let mut children: Vec<Child> = (0..3)
            .map(|_| Command::new("sleep").arg("600").spawn().unwrap())
            .collect();
        let ids: Vec<u32> = children.iter().map(Child::id).collect();
        let folder = tempfile::tempdir().unwrap().keep();
        run(&format!(
            "start {}\nstart {}\nstart {}\nend {}\nremove {}\n",
            ids[0],
            ids[1],
            ids[2],
            ids[1],
            folder.display()
        ));
        for gone in [0, 2] {
            liveness::wait_until("the guard kills", || {
                children[gone].try_wait().unwrap().is_some()
            });
        }
        assert!(
            children[1].try_wait().unwrap().is_none(),
            "an ended process was killed"
        );
        children[1].kill().unwrap();
        children[1].wait().unwrap();
        assert!(!folder.exists());
    }
}
