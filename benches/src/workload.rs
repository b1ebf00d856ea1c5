//! The repository that every figure here is taken on: modules, the modules that they build on, and stacks.
//!
//! A workload of 10,000 modules and 10,000 stacks has 70,000 files: four to a module, three to a stack, and a
//! handful in the root. A third of the modules are *bases*; each of the others calls one base, and each stack
//! calls one of the others. On the branch `feature` one file of one base differs from `main`, and the stacks
//! that this touches are known ([`Workload::answer`]): three. A branch `other` differs in another base.
//!
//! The same arguments always give the same commits.

use std::{
    fmt::{self, Write as _},
    io::{self, BufWriter, Write},
    path::Path,
    process::{Command, Stdio},
};

use crate::Failure;

const AREAS: [&str; 16] = [
    "network",
    "compute",
    "storage",
    "database",
    "identity",
    "messaging",
    "dns",
    "cdn",
    "monitoring",
    "logging",
    "secrets",
    "containers",
    "functions",
    "analytics",
    "search",
    "delivery",
];
const ENVIRONMENTS: [&str; 4] = ["dev", "stage", "prod", "shared"];
const REGIONS: [&str; 5] = ["eu-central-1", "eu-west-1", "us-east-1", "us-west-2", "ap-south-1"];

/// What stands in a stack's directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flavour {
    /// Terraform alone: `main.tf`, `variables.tf`, `terraform.tfvars`.
    Terraform,
    /// `main.tf`, and what makes the directory a Terramate stack (`stack.tm.hcl`) and a Terragrunt unit
    /// (`terragrunt.hcl`, which includes `root.hcl`), so that both can be asked.
    Peers,
}

/// How large a repository is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Workload {
    /// Modules, bases among them. The number of stacks is the same.
    pub modules: usize,
    /// What stands in a stack's directory.
    pub flavour: Flavour,
}

impl Workload {
    /// 70,000 files: 10,000 modules and 10,000 stacks.
    pub fn large(flavour: Flavour) -> Self {
        Self { modules: 10_000, flavour }
    }

    /// The same, ten times smaller.
    pub fn small(flavour: Flavour) -> Self {
        Self { modules: 1_000, flavour }
    }

    /// The number of files.
    pub fn files(&self) -> usize {
        self.modules * 7 + self.root_files().len()
    }

    /// The file that `feature` changes.
    pub fn changed_file(&self) -> String {
        format!("{}/main.tf", self.base(self.changed_base()))
    }

    /// The directories of the stacks that the change touches, sorted.
    pub fn answer(&self) -> Vec<String> {
        let touched = |stack: &usize| self.calls_base(self.calls(*stack)) == self.changed_base();
        let mut stacks: Vec<String> =
            (0..self.modules).filter(touched).map(|stack| self.stack(stack)).collect();
        stacks.sort();
        stacks
    }

    /// The directories of the modules that the change touches, sorted.
    pub fn touched_modules(&self) -> Vec<String> {
        let callers = (0..self.callers()).filter(|&module| self.calls_base(module) == self.changed_base());
        let mut modules: Vec<String> = callers.map(|module| self.caller(module)).collect();
        modules.push(self.base(self.changed_base()));
        modules.sort();
        modules
    }

    /// Writes the repository into a folder that is not there yet or empty, through one `git fast-import`.
    /// `main` and `feature` are there, `feature` is the head, and everything is in one pack with a commit
    /// graph, as after a clone.
    ///
    /// # Errors
    /// Where git cannot be run, or refuses.
    pub fn write(&self, folder: &Path, files: Checkout) -> Result<(), Failure> {
        std::fs::create_dir_all(folder)?;
        git(folder, &["init", "--quiet", "--initial-branch=main"])?;
        let mut import = Command::new("git")
            .args(["fast-import", "--quiet", "--done", "--depth=0"])
            .current_dir(folder)
            .stdin(Stdio::piped())
            .spawn()?;
        let stdin = import.stdin.take().ok_or("git fast-import takes no input")?;
        let written = self.stream(&mut BufWriter::with_capacity(1 << 20, stdin));
        let status = import.wait()?;
        written?;
        if !status.success() {
            return Err(format!("git fast-import in {}: {status}", folder.display()).into());
        }
        git(folder, &["symbolic-ref", "HEAD", "refs/heads/feature"])?;
        git(folder, &["repack", "-a", "-d", "--quiet", "--window=4", "--depth=4"])?;
        git(folder, &["commit-graph", "write", "--reachable", "--no-progress"])?;
        if files == Checkout::Feature {
            git(folder, &["reset", "--quiet", "--hard"])?;
        }
        Ok(())
    }

    fn stream(&self, out: &mut impl Write) -> io::Result<()> {
        begin(out, "main", None, "feat: modules and stacks")?;
        for (path, text) in self.root_files() {
            file(out, &path, &text)?;
        }
        for base in 0..self.bases() {
            let directory = self.base(base);
            self.module(out, &directory, None, base)?;
        }
        for caller in 0..self.callers() {
            let base = self.base(self.calls_base(caller));
            self.module(out, &self.caller(caller), Some(&base), self.bases() + caller)?;
        }
        for stack in 0..self.modules {
            self.stack_files(out, stack)?;
        }
        for (branch, changed) in [("feature", self.changed_base()), ("other", self.bases() - 1)] {
            begin(out, branch, Some("refs/heads/main"), "fix: one base")?;
            let directory = self.base(changed);
            let text = main_tf(&directory, None, changed).replace("retention = 30", "retention = 31");
            file(out, &format!("{directory}/main.tf"), &text)?;
        }
        writeln!(out, "done")?;
        out.flush()
    }

    fn bases(&self) -> usize {
        (self.modules / 3).max(1)
    }

    fn callers(&self) -> usize {
        (self.modules - self.bases()).max(1)
    }

    fn changed_base(&self) -> usize {
        self.bases() / 2
    }

    /// The base that a module builds on.
    fn calls_base(&self, caller: usize) -> usize {
        caller % self.bases()
    }

    /// The module that a stack calls.
    fn calls(&self, stack: usize) -> usize {
        stack % self.callers()
    }

    fn base(&self, base: usize) -> String {
        let area = AREAS[base % AREAS.len()];
        format!("modules/{area}/{area}-base-{base:05}")
    }

    fn caller(&self, caller: usize) -> String {
        let area = AREAS[mixed(caller) % AREAS.len()];
        format!("modules/{area}/{area}-{caller:05}")
    }

    fn stack(&self, stack: usize) -> String {
        let (environment, region) = (ENVIRONMENTS[stack % 4], REGIONS[(stack / 4) % 5]);
        format!("live/{environment}/{region}/{}-{stack:05}", AREAS[mixed(stack) % AREAS.len()])
    }

    fn module(
        &self,
        out: &mut impl Write,
        directory: &str,
        calls: Option<&str>,
        seed: usize,
    ) -> io::Result<()> {
        file(out, &format!("{directory}/main.tf"), &main_tf(directory, calls, seed))?;
        file(out, &format!("{directory}/variables.tf"), &variables_tf(seed))?;
        file(out, &format!("{directory}/outputs.tf"), &outputs_tf(seed))?;
        if reads_a_template(seed) {
            file(out, &format!("{directory}/templates/boot.sh.tpl"), &template(directory))
        } else {
            file(out, &format!("{directory}/README.md"), &readme(directory))
        }
    }

    fn stack_files(&self, out: &mut impl Write, stack: usize) -> io::Result<()> {
        let directory = self.stack(stack);
        let module = self.caller(self.calls(stack));
        let peers = self.flavour == Flavour::Peers;
        file(out, &format!("{directory}/main.tf"), &stack_tf(&directory, &module, peers))?;
        let name = name_of(&directory);
        if peers {
            let id = format!(
                "stack {{\n  name        = \"{name}\"\n  description = \"{directory}\"\n  id          = \"{:08x}-{stack:05}\"\n  tags        = [\"live\"]\n}}\n",
                mixed(stack) as u32
            );
            file(out, &format!("{directory}/stack.tm.hcl"), &id)?;
            let unit = format!(
                "include \"root\" {{\n  path = find_in_parent_folders(\"root.hcl\")\n}}\n\nterraform {{\n  source = \".\"\n}}\n\ninputs = {{\n  name = \"{name}\"\n}}\n"
            );
            file(out, &format!("{directory}/terragrunt.hcl"), &unit)
        } else {
            let variables = "variable \"name\" {\n  description = \"What this stack is called.\"\n  type        = string\n}\n\nvariable \"size\" {\n  description = \"How many there are.\"\n  type        = number\n}\n";
            file(out, &format!("{directory}/variables.tf"), &format!("# {directory}\n{variables}"))?;
            let values = format!("name = \"{name}\"\nsize = {}\n", mixed(stack) % 9);
            file(out, &format!("{directory}/terraform.tfvars"), &values)
        }
    }

    fn root_files(&self) -> Vec<(String, String)> {
        let mut files = vec![
            (
                "README.md".to_owned(),
                "# Infrastructure\n\nModules in `modules`, what is deployed in `live`.\n".to_owned(),
            ),
            (".gitignore".to_owned(), ".terraform/\n*.tfstate*\n".to_owned()),
            (".terraform-version".to_owned(), "1.11.4\n".to_owned()),
        ];
        if self.flavour == Flavour::Peers {
            files.push(("root.hcl".to_owned(), "locals {\n  organisation = \"acme\"\n}\n\ninputs = {\n  organisation = local.organisation\n}\n".to_owned()));
            files.push((
                "terramate.tm.hcl".to_owned(),
                "terramate {\n  config {\n    git {\n      default_branch = \"main\"\n    }\n  }\n}\n"
                    .to_owned(),
            ));
        }
        files
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} files, {} modules, {} stacks", self.files(), self.modules, self.modules)
    }
}

/// Whether the files of `feature` are put into the folder, which takes longer than all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checkout {
    /// Only the objects.
    Nothing,
    /// The files of `feature`.
    Feature,
}

fn begin(out: &mut impl Write, branch: &str, from: Option<&str>, subject: &str) -> io::Result<()> {
    writeln!(out, "commit refs/heads/{branch}")?;
    writeln!(out, "committer Ada <ada@example.com> 1767225600 +0000")?;
    write!(out, "data {}\n{subject}\n", subject.len())?;
    from.map_or(Ok(()), |from| writeln!(out, "from {from}"))
}

fn file(out: &mut impl Write, path: &str, text: &str) -> io::Result<()> {
    write!(out, "M 100644 inline {path}\ndata {}\n{text}\n", text.len())
}

/// Runs git in a folder.
///
/// # Errors
/// Where it is not there, or refuses.
pub fn git(folder: &Path, args: &[&str]) -> Result<String, Failure> {
    let output = Command::new("git").args(args).current_dir(folder).output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    Err(format!(
        "cannot run git {} in {}: {}",
        args.join(" "),
        folder.display(),
        String::from_utf8_lossy(&output.stderr).trim()
    )
    .into())
}

/// A number that looks drawn by lot (splitmix64).
fn mixed(seed: usize) -> usize {
    let mut z = (seed as u64).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((z ^ (z >> 31)) >> 16) as usize
}

fn reads_a_template(seed: usize) -> bool {
    mixed(seed).is_multiple_of(10)
}

fn name_of(directory: &str) -> &str {
    directory.rsplit('/').next().unwrap_or(directory)
}

fn main_tf(directory: &str, calls: Option<&str>, seed: usize) -> String {
    let name = name_of(directory);
    let mut text = format!(
        "# {name}: kept by the platform team.\n\nlocals {{\n  name = \"${{var.name}}-{name}\"\n  tags = merge(var.tags, {{ module = \"{name}\" }})\n}}\n"
    );
    if let Some(base) = calls {
        let _ = write!(
            text,
            "\nmodule \"base\" {{\n  source = \"../../{}\"\n\n  name = local.name\n  size = var.size\n  tags = local.tags\n}}\n",
            base.trim_start_matches("modules/")
        );
    }
    let user_data = if reads_a_template(seed) {
        "templatefile(\"${path.module}/templates/boot.sh.tpl\", { name = local.name })"
    } else {
        "null"
    };
    for nth in 0..1 + mixed(seed + 7) % 3 {
        let _ = write!(
            text,
            "\nresource \"aws_instance\" \"node_{nth}\" {{\n  count = var.size\n\n  ami                    = var.image\n  instance_type          = \"m{}.large\"\n  user_data              = {user_data}\n  vpc_security_group_ids = [aws_security_group.this.id]\n  tags                   = merge(local.tags, {{ Name = \"${{local.name}}-${{count.index}}\" }})\n\n  lifecycle {{\n    create_before_destroy = true\n    ignore_changes        = [ami]\n  }}\n}}\n",
            5 + nth
        );
    }
    let _ = write!(
        text,
        "\nresource \"aws_security_group\" \"this\" {{\n  name        = local.name\n  description = \"What may reach {name}\"\n  tags        = local.tags\n\n  ingress {{\n    from_port   = {port}\n    to_port     = {port}\n    protocol    = \"tcp\"\n    cidr_blocks = [\"10.{}.0.0/16\"]\n  }}\n}}\n\nresource \"aws_cloudwatch_log_group\" \"this\" {{\n  name      = \"/acme/${{local.name}}\"\n  retention = 30\n  tags      = local.tags\n}}\n",
        seed % 256,
        port = 1024 + seed % 30_000
    );
    text
}

fn variables_tf(seed: usize) -> String {
    let mut text = "variable \"name\" {\n  description = \"What everything made here is called.\"\n  type        = string\n  default     = \"it\"\n}\n\nvariable \"image\" {\n  description = \"The image of the machines.\"\n  type        = string\n  default     = null\n}\n\nvariable \"tags\" {\n  description = \"Put on everything that takes tags.\"\n  type        = map(string)\n  default     = {}\n}\n".to_owned();
    let _ = write!(
        text,
        "\nvariable \"size\" {{\n  description = \"How many there are.\"\n  type        = number\n  default     = {seed}\n\n  validation {{\n    condition     = var.size >= 0\n    error_message = \"There cannot be fewer than none.\"\n  }}\n}}\n"
    );
    text
}

fn outputs_tf(seed: usize) -> String {
    format!(
        "output \"name\" {{\n  description = \"What it is called.\"\n  value       = local.name\n}}\n\noutput \"security_group_id\" {{\n  description = \"The group of number {seed}.\"\n  value       = aws_security_group.this.id\n}}\n"
    )
}

fn template(directory: &str) -> String {
    format!("#!/bin/sh\n# {directory}\nset -eu\nhostname \"${{name}}\"\nsystemctl enable --now agent\n")
}

fn readme(directory: &str) -> String {
    let name = name_of(directory);
    format!(
        "# {name}\n\nMachines behind a security group, and where they log.\n\n```hcl\nmodule \"it\" {{\n  source = \"git::https://git.example.com/acme/infra.git//{directory}?ref={name}/v1.0.0\"\n  name   = \"it\"\n}}\n```\n\n| output | what it is |\n|---|---|\n| `name` | what it is called |\n| `security_group_id` | the group |\n"
    )
}

fn stack_tf(directory: &str, module: &str, values: bool) -> String {
    let (name, size) = if values {
        (format!("\"{}\"", name_of(directory)), "2")
    } else {
        ("var.name".to_owned(), "var.size")
    };
    format!(
        "terraform {{\n  required_version = \">= 1.5\"\n\n  backend \"s3\" {{\n    bucket = \"acme-state\"\n    key    = \"{directory}/terraform.tfstate\"\n    region = \"eu-central-1\"\n  }}\n}}\n\nprovider \"aws\" {{\n  region = \"{}\"\n}}\n\nmodule \"main\" {{\n  source = \"../../../../{module}\"\n\n  name = {name}\n  size = {size}\n  tags = {{ stack = \"{directory}\" }}\n}}\n\noutput \"name\" {{\n  value = module.main.name\n}}\n",
        directory.split('/').nth(2).unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_workload_has_the_files_that_it_says_and_three_stacks_are_the_answer() {
        let folder = tempfile::tempdir().expect("a folder");
        for (flavour, name) in [(Flavour::Terraform, "a"), (Flavour::Peers, "b")] {
            let workload = Workload { modules: 100, flavour };
            let repo = folder.path().join(name);
            workload.write(&repo, Checkout::Nothing).expect("a repository");
            let files = git(&repo, &["ls-tree", "-r", "--name-only", "main"]).expect("files");
            assert_eq!(files.lines().count(), workload.files());
            let changed = git(&repo, &["diff", "--name-only", "main...feature"]).expect("changes");
            assert_eq!(changed.trim(), workload.changed_file());
            let answer = workload.answer();
            assert_eq!(answer.len(), 3);
            assert!(answer.iter().all(|stack| files.contains(&format!("{stack}/main.tf\n"))), "{answer:?}");
        }
        let large = Workload::large(Flavour::Peers);
        assert_eq!((large.answer().len(), large.files()), (3, 70_005));
        assert_eq!(Workload::small(Flavour::Peers).answer().len(), 3);
    }
}
