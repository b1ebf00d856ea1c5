//! Tests of process.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use infraflow_core::process::{
    Command, Discard, Ended, Environment, GroupEnd, GroupState, Kept, OutputFiles, Preset, ProcessError,
    ProcessGroup,
};
use tokio_util::sync::CancellationToken;

fn sh(script: &str) -> Command {
    Command::new("sh").arg("-c").arg(script)
}

fn wait_for(what: &str, mut fact: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !fact() {
        assert!(begun.elapsed() < Duration::from_secs(20), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn running(pid: &str) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim_start().starts_with('Z'))
}

fn pid_in(file: &Path) -> String {
    wait_for("a process id", || std::fs::read_to_string(file).is_ok_and(|text| text.ends_with('\n')));
    std::fs::read_to_string(file).unwrap().trim().to_owned()
}

#[test]
fn output_exit_code_and_input_are_kept_apart() {
    let finished = sh("cat; echo err >&2; exit 3").stdin("in").run_blocking().unwrap();
    assert_eq!((finished.code, finished.signal, finished.ended), (Some(3), None, Ended::Exited));
    assert_eq!((&finished.stdout[..], &finished.stderr[..]), (&b"in"[..], &b"err\n"[..]));
    assert_eq!(finished.verdict(), "exit code 3");
    assert!(!finished.success());
}

#[test]
fn a_signal_is_no_exit_code() {
    let finished = sh("kill -9 $$").run_blocking().unwrap();
    assert_eq!((finished.code, finished.signal), (None, Some(9)));
}

#[test]
fn a_program_that_is_missing_is_named_with_the_path_searched() {
    let environment = Environment::empty().with("PATH", "/nowhere:/nowhere-else");
    let error = Command::new("terraform").environment(environment).run_blocking().unwrap_err();
    assert!(matches!(&error, ProcessError::NotFound { program, .. } if program == "terraform"));
    assert!(error.to_string().contains("/nowhere-else") && error.to_string().contains("help:"));
    assert!(matches!(sh("true").current_dir("/nowhere").run_blocking(), Err(ProcessError::Start { .. })));
    assert!(matches!(Command::new("/nowhere/x").run_blocking(), Err(ProcessError::Start { .. })));
}

#[test]
fn a_program_sees_nothing_of_the_environment_but_what_it_is_given() {
    let environment = Environment::preset(&[Preset::Base]).with("GIVEN", "1");
    let finished = Command::new("env").environment(environment.clone()).run_blocking().unwrap();
    let text = String::from_utf8(finished.stdout).unwrap();
    let names: Vec<_> = text.lines().filter_map(|line| line.split('=').next()).collect();
    assert!(names.contains(&"GIVEN") && !names.iter().any(|name| name.starts_with("CARGO")));
    assert_eq!(names.len(), environment.iter().count());
}

#[test]
fn only_the_last_bytes_are_kept_beyond_the_limit() {
    let finished = sh("seq 1 100000").capture_limit(10).run_blocking().unwrap();
    assert_eq!((&finished.stdout[..], finished.truncated), (&b"99\n100000\n"[..], true));
}

#[test]
fn input_that_is_never_read_does_no_harm() {
    assert!(sh("true").stdin(vec![b'x'; 10 << 20]).run_blocking().unwrap().success());
}

#[tokio::test]
async fn the_log_stream_gets_everything_in_order() {
    let kept = Kept::default();
    let finished = sh("seq 1 200000").capture_limit(0).run(&CancellationToken::new(), &kept).await.unwrap();
    let expected: String = (1..=200_000).map(|n| format!("{n}\n")).collect();
    assert!(finished.success() && kept.bytes() == expected.as_bytes());
}

#[tokio::test]
async fn a_time_limit_interrupts_once_then_kills_the_whole_group() {
    let folder = tempfile::tempdir().unwrap();
    let script = "trap 'echo int >> ints' INT; (trap '' INT; sleep 60 & echo $! > child; wait) & \
                  while :; do sleep 0.1; done";
    let begun = Instant::now();
    let finished = sh(script)
        .current_dir(folder.path())
        .time_limit(Duration::from_millis(500))
        .grace(Duration::from_millis(700))
        .run(&CancellationToken::new(), &Discard)
        .await
        .unwrap();
    assert_eq!((finished.ended, finished.signal), (Ended::TimedOut, Some(9)));
    assert!(begun.elapsed() >= Duration::from_millis(1200));
    assert_eq!(std::fs::read_to_string(folder.path().join("ints")).unwrap(), "int\n");
    let child = pid_in(&folder.path().join("child"));
    wait_for("the child to be gone", || !running(&child));
}

#[tokio::test]
async fn a_cancelled_program_may_clean_up_within_its_grace() {
    let (cancel, kept) = (CancellationToken::new(), Kept::default());
    let command = sh("trap 'echo cleaned; exit 0' INT; echo up; while :; do sleep 0.05; done");
    let canceller = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        cancel.cancel();
    };
    let (finished, ()) = tokio::join!(command.run(&cancel, &kept), canceller);
    let finished = finished.unwrap();
    assert_eq!((finished.ended, finished.code), (Ended::Cancelled, Some(0)));
    assert!(!finished.success());
    assert_eq!(kept.bytes(), b"up\ncleaned\n");
}

#[tokio::test]
async fn a_token_cancelled_before_keeps_it_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let finished = sh("touch ran").current_dir(folder.path()).run(&cancel, &Discard).await.unwrap();
    assert_eq!(finished.ended, Ended::Cancelled);
    assert!(!folder.path().join("ran").exists());
}

#[tokio::test]
async fn dropping_the_future_ends_the_program() {
    let folder = tempfile::tempdir().unwrap();
    let command = sh("trap 'touch interrupted; exit' INT; echo $$ > pid; while :; do sleep 0.05; done")
        .current_dir(folder.path());
    let cancel = CancellationToken::new();
    tokio::select! {
        _ = command.run(&cancel, &Discard) => panic!("it ended"),
        () = tokio::time::sleep(Duration::from_millis(500)) => {}
    }
    let pid = pid_in(&folder.path().join("pid"));
    wait_for("the program to be gone", || !running(&pid));
    assert!(folder.path().join("interrupted").exists());
}

#[test]
fn what_a_program_leaves_behind_in_its_group_ends_with_it() {
    let finished = sh("sleep 60 & echo $!").run_blocking().unwrap();
    let pid = String::from_utf8(finished.stdout.clone()).unwrap().trim().to_owned();
    assert!(finished.success() && finished.elapsed < Duration::from_secs(5));
    wait_for("the child to be gone", || !running(&pid));
}

#[test]
fn a_process_that_left_the_group_and_kept_the_output_is_not_waited_for() {
    let begun = Instant::now();
    let finished = sh("setsid sh -c 'sleep 20' & echo done").run_blocking().unwrap();
    assert_eq!((finished.success(), &finished.stdout[..]), (true, &b"done\n"[..]));
    assert!(begun.elapsed() < Duration::from_secs(15));
}

#[test]
fn a_start_is_recorded_before_the_first_instruction() {
    let folder = tempfile::tempdir().unwrap();
    let seen = Arc::new(Mutex::new(None));
    let (record, marker) = (seen.clone(), folder.path().join("ran"));
    let finished = sh("cat > ran; echo $$")
        .current_dir(folder.path())
        .stdin("input")
        .on_start(move |group| {
            std::thread::sleep(Duration::from_millis(200));
            *record.lock().unwrap() = Some((group.clone(), marker.exists(), group.state()));
            Ok(())
        })
        .run_blocking()
        .unwrap();
    let (group, ran, state) = seen.lock().unwrap().take().unwrap();
    assert!(!ran && state == GroupState::Running);
    assert_eq!(String::from_utf8(finished.stdout).unwrap().trim(), group.pid.to_string());
    assert_eq!(std::fs::read_to_string(folder.path().join("ran")).unwrap(), "input");
    assert_eq!(group.state(), GroupState::Gone);
    let text = serde_json::to_string(&group).unwrap();
    assert_eq!(serde_json::from_str::<ProcessGroup>(&text).unwrap(), group);
}

#[test]
fn a_start_that_cannot_be_recorded_never_runs() {
    let folder = tempfile::tempdir().unwrap();
    let error = sh("touch ran")
        .current_dir(folder.path())
        .on_start(|_| Err("the ledger is full".into()))
        .run_blocking()
        .unwrap_err();
    assert!(matches!(&error, ProcessError::NotRecorded { .. }));
    assert!(error.to_string().contains("the ledger is full"));
    std::thread::sleep(Duration::from_millis(100));
    assert!(!folder.path().join("ran").exists());
}

#[test]
fn a_recorded_group_is_ended_with_what_left_it_and_somebody_elses_is_not_touched() {
    if !Path::new("/proc/self/stat").exists() {
        eprintln!("skipped: without /proc, what left a group cannot be found");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (sender, receiver) = std::sync::mpsc::channel();
    let sender = Mutex::new(sender);
    let command = sh("setsid sh -c 'trap \"\" INT; echo $$ > left; sleep 60' & echo $$ > pid; sleep 60")
        .current_dir(folder.path())
        .on_start(move |group| Ok(sender.lock().unwrap().send(group.clone())?));
    let thread = std::thread::spawn(move || command.run_blocking().unwrap());
    let group = receiver.recv().unwrap();
    let left = pid_in(&folder.path().join("left"));
    pid_in(&folder.path().join("pid"));

    let reused = ProcessGroup { start_time: "1".into(), token: "other".into(), ..group.clone() };
    assert_eq!(reused.end(Duration::ZERO).unwrap(), GroupEnd::Gone);
    let elsewhere = ProcessGroup { boot: "another machine".into(), ..group.clone() };
    assert_eq!(elsewhere.end(Duration::ZERO).unwrap(), GroupEnd::Elsewhere);
    assert!(group.alive() && running(&left));

    assert_eq!(group.end(Duration::from_millis(300)).unwrap(), GroupEnd::Killed);
    assert_eq!(group.state(), GroupState::Gone);
    assert!(!running(&left));
    thread.join().unwrap();
    assert_eq!(group.end(Duration::ZERO).unwrap(), GroupEnd::Gone);
}

#[tokio::test]
async fn output_to_files_is_kept_and_streamed_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let files = OutputFiles { stdout: folder.path().join("out"), stderr: folder.path().join("err") };
    std::fs::write(&files.stdout, "before\n").unwrap();
    let log = Kept::default();
    let command = sh("echo one; sleep 0.1; echo two; echo err >&2").output_files(files.clone());
    let finished = command.run(&CancellationToken::new(), &log).await.unwrap();
    assert_eq!((&finished.stdout[..], &finished.stderr[..]), (&b"one\ntwo\n"[..], &b"err\n"[..]));
    assert_eq!(log.bytes().len(), "one\ntwo\nerr\n".len());
    assert_eq!(std::fs::read_to_string(&files.stdout).unwrap(), "before\none\ntwo\n");
    let missing = OutputFiles { stdout: "/nowhere/out".into(), ..files };
    let refused = sh("true").output_files(missing).run_blocking();
    assert!(matches!(refused, Err(ProcessError::Start { .. })));
}

/// Not a test of its own: the process that [`a_program_that_writes_to_files_outlives_its_starter`] kills.
#[test]
fn helper_that_starts_a_program_and_is_killed() {
    let Some(folder) = std::env::var_os("INFRAFLOW_TEST_STARTER") else { return };
    let folder = Path::new(&folder);
    let files = OutputFiles { stdout: folder.join("out"), stderr: folder.join("err") };
    let command = sh("echo one; echo $$ > pid; sleep 0.3; echo two; touch done");
    command.current_dir(folder).output_files(files).run_blocking().unwrap();
}

#[test]
fn a_program_that_writes_to_files_outlives_its_starter() {
    let folder = tempfile::tempdir().unwrap();
    let mut starter = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::helper_that_starts_a_program_and_is_killed"])
        .env("INFRAFLOW_TEST_STARTER", folder.path())
        .spawn()
        .unwrap();
    let pid = pid_in(&folder.path().join("pid"));
    starter.kill().unwrap();
    starter.wait().unwrap();
    wait_for("the program's end", || !running(&pid));
    assert!(folder.path().join("done").is_file());
    assert_eq!(std::fs::read_to_string(folder.path().join("out")).unwrap(), "one\ntwo\n");
}

#[test]
fn a_process_can_say_who_it_is() {
    let this = ProcessGroup::this();
    assert!(this.alive());
    assert!(!ProcessGroup { start_time: "1".into(), ..this }.alive());
}
