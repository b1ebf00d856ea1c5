use std::{
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ProcessError;

/// The variable that marks every process of a recorded group, and what left the group, as ours.
pub(super) const TOKEN: &str = "INFRAFLOW_PROCESS";

/// A running program's process group, as it is recorded in a ledger: enough to find it again, from another
/// process, and never to take somebody else's for it.
///
/// A process id alone is reused. The group is ours where the machine, its boot and its process namespace
/// are the same, and its leader has the recorded start time; once the leader is gone, where a member carries
/// the recorded token in its environment. On Linux, processes that left the group (`setsid`) are found by
/// that token too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProcessGroup {
    /// The process id of its first process, which is the group's id.
    pub pid: u32,
    /// When that process started, in the system's own words (Linux: clock ticks since boot).
    pub start_time: String,
    /// Which boot of which machine.
    pub boot: String,
    /// Which process namespace, since containers of one machine share its boot.
    pub namespace: String,
    /// What its processes carry in the variable `INFRAFLOW_PROCESS`.
    pub token: String,
}

/// Whether a recorded group still runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupState {
    /// It runs here.
    Running,
    /// It is gone.
    Gone,
    /// It was started on another machine, before a reboot of this one, or in another container: nothing can
    /// be said from here.
    Elsewhere,
}

/// How a recorded group was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum GroupEnd {
    /// It was gone already.
    Gone,
    /// It ended within the grace period after one SIGINT.
    Interrupted,
    /// It had to be killed.
    Killed,
    /// It runs on another machine or in another container, if at all; nothing was done.
    Elsewhere,
}

impl ProcessGroup {
    /// This process itself, for an owner of a lock to say who it is: others on the machine then know at
    /// once when it died ([`ProcessGroup::state`]). It is not to be ended by this record.
    pub fn this() -> Self {
        Self::of(std::process::id(), String::new())
    }

    /// The group whose first process is `pid`, marked with `token`.
    pub(super) fn of(pid: u32, token: String) -> Self {
        Self {
            pid,
            start_time: start_time(pid).unwrap_or_default(),
            boot: boot(),
            namespace: namespace(),
            token,
        }
    }

    /// Whether it still runs, as far as that can be said from here.
    pub fn state(&self) -> GroupState {
        if self.boot != boot() {
            // The same machine after a reboot, or another machine: the boot id alone can't tell.
            return GroupState::Elsewhere;
        }
        if self.namespace != namespace() {
            return GroupState::Elsewhere;
        }
        if self.members().is_empty() { GroupState::Gone } else { GroupState::Running }
    }

    /// Whether it still runs here.
    pub fn alive(&self) -> bool {
        self.state() == GroupState::Running
    }

    /// Ends it: one SIGINT to every process of it, then SIGKILL to what is left after the grace period.
    /// Blocks until it is gone. Whoever reaps works from a record, after the program's own parent died, so
    /// there is no exit code.
    ///
    /// # Errors
    /// [`ProcessError::Signal`] where the system does not let us signal it.
    pub fn end(&self, grace: Duration) -> Result<GroupEnd, ProcessError> {
        match self.state() {
            GroupState::Gone => return Ok(GroupEnd::Gone),
            GroupState::Elsewhere => return Ok(GroupEnd::Elsewhere),
            GroupState::Running => {}
        }
        self.signal(Signal::INT)?;
        let begun = Instant::now();
        let mut killed = false;
        let mut pause = Duration::from_millis(5);
        while !self.members().is_empty() {
            if begun.elapsed() >= grace {
                killed = true;
                self.signal(Signal::KILL)?;
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(100));
        }
        Ok(if killed { GroupEnd::Killed } else { GroupEnd::Interrupted })
    }

    fn signal(&self, signal: Signal) -> Result<(), ProcessError> {
        for member in self.members() {
            let Some(pid) = i32::try_from(member).ok().and_then(Pid::from_raw) else { continue };
            match rustix::process::kill_process(pid, signal) {
                Ok(()) | Err(rustix::io::Errno::SRCH) => {}
                Err(errno) => return Err(ProcessError::Signal { pid: self.pid, source: errno.into() }),
            }
        }
        Ok(())
    }

    /// The living processes of the group and those that left it, zombies left out.
    #[cfg(target_os = "linux")]
    fn members(&self) -> Vec<u32> {
        let leader = start_time(self.pid).is_some_and(|at| at == self.start_time);
        let mark = format!("{TOKEN}={}", self.token);
        let mark = Some(mark.as_bytes()).filter(|_| !self.token.is_empty());
        let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
        let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
        pids.filter(|&pid| {
            let Some(stat) = Stat::of(pid) else { return false };
            let grouped = leader && (stat.group == self.pid || pid == self.pid);
            stat.state != b'Z' && stat.state != b'X' && (grouped || mark.is_some_and(|m| carries(pid, m)))
        })
        .collect()
    }

    /// The group's first process, where it lives. Other systems do not show another process' environment.
    #[cfg(not(target_os = "linux"))]
    fn members(&self) -> Vec<u32> {
        start_time(self.pid).filter(|at| *at == self.start_time).map(|_| self.pid).into_iter().collect()
    }
}

/// Whether a process has this `NAME=value` in the environment that it was started with.
#[cfg(target_os = "linux")]
fn carries(pid: u32, mark: &[u8]) -> bool {
    fs::read(format!("/proc/{pid}/environ"))
        .is_ok_and(|environment| environment.split(|&byte| byte == 0).any(|variable| variable == mark))
}

/// What `/proc/PID/stat` says (proc(5)): the name stands in parentheses and may hold any byte, so the
/// fields are counted from the last closing one.
#[cfg(target_os = "linux")]
struct Stat {
    state: u8,
    group: u32,
    start_time: String,
}

#[cfg(target_os = "linux")]
impl Stat {
    fn of(pid: u32) -> Option<Self> {
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let after = text.iter().rposition(|&byte| byte == b')')? + 1;
        let text = std::str::from_utf8(text.get(after..)?).ok()?;
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        Some(Self {
            state: *fields.first()?.as_bytes().first()?,
            group: fields.get(2)?.parse().ok()?,
            start_time: (*fields.get(19)?).to_owned(),
        })
    }
}

#[cfg(target_os = "linux")]
fn start_time(pid: u32) -> Option<String> {
    Stat::of(pid).map(|stat| stat.start_time)
}

#[cfg(not(target_os = "linux"))]
fn start_time(pid: u32) -> Option<String> {
    let output =
        std::process::Command::new("ps").args(["-o", "lstart=", "-p", &pid.to_string()]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

fn boot() -> String {
    let linux = fs::read_to_string("/proc/sys/kernel/random/boot_id");
    let text = linux.or_else(|_| {
        let output = std::process::Command::new("sysctl").args(["-n", "kern.bootsessionuuid"]).output()?;
        io::Result::Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    });
    text.map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn namespace() -> String {
    fs::read_link(Path::new("/proc/self/ns/pid"))
        .map(|link| link.to_string_lossy().into_owned())
        .unwrap_or_default()
}
