//! Repositories of any size in seconds: files, a history, and a branch with one change, written by
//! `git fast-import` and packed as a clone has them.

use std::{
    io::{BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
};

use infraflow_core::git::Repository;

use crate::Failure;

/// The files of a module, and of a stack.
const MODULE: [&str; 4] = ["main.tf", "variables.tf", "outputs.tf", "README.md"];
const STACK: [&str; 3] = ["main.tf", "backend.tf", "terraform.tfvars"];

/// What is in the repository.
#[derive(Clone, Copy, Debug)]
pub struct Plain {
    /// How many modules there are, side by side in `modules/`, with four files each.
    pub modules: usize,
    /// How many stacks there are, side by side in `stacks/`, with three files each.
    pub stacks: usize,
    /// How many commits `main` has; each after the first changes one file of one module.
    pub commits: usize,
}

impl Default for Plain {
    /// 70,000 files in 20,000 directories, one commit.
    fn default() -> Self {
        Self { modules: 10_000, stacks: 10_000, commits: 1 }
    }
}

impl Plain {
    /// The same, with so many files, or a few less.
    #[must_use]
    pub fn files(self, files: usize) -> Self {
        let each = (files / (MODULE.len() + STACK.len())).max(2);
        Self { modules: each, stacks: each, ..self }
    }

    /// Makes the repository in an empty folder: `main`, and, checked out where `files` says so, `feature`,
    /// which stands on it with one file changed and one moved and changed.
    ///
    /// # Errors
    /// Where git cannot be run, or refuses.
    pub fn generate(&self, folder: &Path, files: Files) -> Result<Repository, Failure> {
        git(folder, &["init", "--quiet", "--initial-branch=main"])?;
        let mut import = Command::new("git")
            .args(["fast-import", "--quiet", "--depth=0"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .spawn()?;
        let mut stream = BufWriter::new(import.stdin.take().ok_or("no pipe")?);
        self.write(&mut stream)?;
        stream.flush()?;
        drop(stream);
        if !import.wait()?.success() {
            return Err("git fast-import failed".into());
        }
        // As a server packs what it sends: deltas between similar files.
        git(folder, &["-c", "pack.threads=2", "repack", "--quiet", "-a", "-d", "-f"])?;
        git(folder, &["pack-refs", "--all"])?;
        git(folder, &["symbolic-ref", "HEAD", "refs/heads/feature"])?;
        if files == Files::CheckedOut {
            git(folder, &["reset", "--quiet", "--hard"])?;
        }
        Ok(Repository::open(folder)?)
    }

    fn write(&self, out: &mut impl Write) -> std::io::Result<()> {
        begin(out, "main", "feat: begin", 0)?;
        for n in 0..self.modules {
            for name in MODULE {
                file(out, &format!("modules/component-{n:05}/{name}"), &text("module", n, name))?;
            }
        }
        for n in 0..self.stacks {
            for name in STACK {
                file(out, &format!("stacks/service-{n:05}/{name}"), &text("stack", n, name))?;
            }
        }
        for commit in 1..self.commits {
            let module = commit.wrapping_mul(7919) % self.modules;
            begin(out, "main", &format!("fix: number {commit} of component {module}"), commit)?;
            let text = text("module", module, MODULE[0]) + &format!("# changed by {commit}\n");
            file(out, &format!("modules/component-{module:05}/{}", MODULE[0]), &text)?;
        }
        begin(out, "feature", "fix: one", self.commits)?;
        writeln!(out, "from refs/heads/main")?;
        let (changed, moved) = (self.modules / 2, self.stacks / 3);
        let change = |kind, n, name| text(kind, n, name) + "# changed\n";
        file(out, &changed_file(changed), &change("module", changed, MODULE[0]))?;
        writeln!(out, "D stacks/service-{moved:05}/{}", STACK[0])?;
        file(out, "stacks/moved/main.tf", &change("stack", moved, STACK[0]))
    }
}

fn changed_file(module: usize) -> String {
    format!("modules/component-{module:05}/{}", MODULE[0])
}

/// What of the repository stands on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Files {
    /// All of it.
    CheckedOut,
    /// The objects only.
    NotCheckedOut,
}

fn begin(out: &mut impl Write, branch: &str, message: &str, second: usize) -> std::io::Result<()> {
    let when = 1_767_225_600 + second;
    writeln!(out, "commit refs/heads/{branch}\ncommitter Ada <ada@example.com> {when} +0000")?;
    writeln!(out, "data {}\n{message}", message.len())
}

fn file(out: &mut impl Write, path: &str, text: &str) -> std::io::Result<()> {
    writeln!(out, "M 100644 inline {path}\ndata {}\n{text}", text.len())
}

/// About 600 bytes in which most lines are those of every other file of the name.
fn text(kind: &str, n: usize, name: &str) -> String {
    let next = (n * 31 + 7) % 10_000;
    match name {
        "README.md" => format!(
            "# {kind} {n}\n\nWhat it makes, how it is called, and who looks after it.\n\n## Use\n\nCall it with a name and a region.\n"
        ),
        "terraform.tfvars" => {
            format!("name = \"{kind}-{n}\"\nregion = \"eu-west-{}\"\nsize = {}\n", n % 3, n % 17)
        }
        "main.tf" if kind == "stack" => format!(
            "module \"service\" {{\n  source = \"../../modules/component-{next:05}\"\n  name   = var.name\n  region = var.region\n}}\n\nvariable \"name\" {{\n  type = string\n}}\n\nvariable \"region\" {{\n  type = string\n}}\n\nvariable \"size\" {{\n  type    = number\n  default = {n}\n}}\n"
        ),
        "backend.tf" => format!(
            "terraform {{\n  required_version = \">= 1.5\"\n  backend \"s3\" {{\n    bucket = \"states\"\n    key    = \"{kind}/{n}.tfstate\"\n    region = \"eu-west-1\"\n  }}\n}}\n"
        ),
        "main.tf" => {
            let mut text = format!("locals {{\n  id = {n}\n}}\n");
            for part in 0..4 {
                text += &format!(
                    "\nresource \"terraform_data\" \"part_{part}\" {{\n  input = {{\n    name   = \"${{var.name}}-{part}-{n}\"\n    region = var.region\n    tags   = merge(var.tags, {{ part = \"{part}\" }})\n  }}\n}}\n"
                );
            }
            text
        }
        _ => format!(
            "variable \"name\" {{\n  type        = string\n  description = \"The name of {kind} {n}\"\n}}\n\nvariable \"region\" {{\n  type        = string\n  description = \"Where it is\"\n}}\n\nvariable \"tags\" {{\n  type    = map(string)\n  default = {{}}\n}}\n"
        ),
    }
}

fn git(folder: &Path, args: &[&str]) -> Result<(), Failure> {
    let status = Command::new("git").args(args).current_dir(folder).status()?;
    if status.success() { Ok(()) } else { Err(format!("git {args:?} failed").into()) }
}
