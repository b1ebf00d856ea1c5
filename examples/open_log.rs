//! Opens a sealed log, and puts on record who did.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use clap::Parser;
use infraflow_core::{
    proof::{AllowedSigners, Principal, SystemClock},
    publish::{ItemName, OpenRequest, open_log},
    seal::{SealingKey, SharedKeySealer},
    store::{Key, Store},
};
use infraflow_examples::{Answer, Failure, main_waiting};

/// Opens what was published of a unit's dry run: its whole log, its saved plan, or its plan as JSON.
///
/// The manifest's signature is verified first, then what it says of the sealed bytes, then every byte of
/// them; nothing is written before all of it holds. Who opened is recorded in the store.
#[derive(Parser)]
#[command(version)]
struct Options {
    /// The store's folder.
    #[arg(long, value_name = "DIR")]
    store: PathBuf,
    /// The key of the manifest, as the dry run's `sealed_log` has it.
    #[arg(long, value_name = "KEY")]
    manifest: String,
    /// The environment's sealing key.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// Whose signatures are trusted: an allowed-signers file.
    #[arg(long, value_name = "FILE")]
    signers: PathBuf,
    /// Who opens it, for the record.
    #[arg(long = "as", value_name = "NAME", env = "USER")]
    by: String,
    /// What to open: log, plan_file, plan_json, summary_text or summary_markdown.
    #[arg(long, default_value = "log", value_parser = item)]
    item: ItemName,
    /// Where to write it: a file that is not there yet, or `-` for standard output.
    #[arg(long, value_name = "FILE", default_value = "-")]
    out: PathBuf,
}

fn item(text: &str) -> Result<ItemName, String> {
    ItemName::parse(text).ok_or_else(|| format!("there is no item {text:?}"))
}

fn main() -> ExitCode {
    let options = Options::parse();
    main_waiting(async move {
        let signers = std::fs::read_to_string(&options.signers)
            .map_err(|error| Failure::from(format!("cannot read {}: {error}", options.signers.display())))?;
        let request = OpenRequest {
            store: &Store::folder(&options.store)?,
            manifest: &Key::parse(&options.manifest)?,
            item: options.item,
            signers: &AllowedSigners::parse(&signers)?,
            sealer: Arc::new(SharedKeySealer::new(SealingKey::read(&options.key)?)),
            by: Principal(options.by),
        };
        if options.out == Path::new("-") {
            let private = tempfile::tempdir()?;
            let file = private.path().join("opened");
            open_log(&request, &file, &SystemClock).await?;
            std::io::copy(&mut std::fs::File::open(&file)?, &mut std::io::stdout())?;
            std::io::stdout().flush()?;
        } else {
            open_log(&request, &options.out, &SystemClock).await?;
        }
        Ok(Answer::Done)
    })
}
