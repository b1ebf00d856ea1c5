//! A kept index with other bytes in it: the answer stays what it is without one.

use std::sync::OnceLock;

use infraflow_core::{
    catalog::{Catalog, CatalogCache, CatalogRules, standard_dialects},
    git::FileEdit,
    proof::RepoPath,
};

use crate::scratch;

const FILES: [(&str, &str); 4] = [
    ("live/a/main.tf", "module \"m\" {\n  source = \"../../modules/m\"\n  file = \"f.txt\"\n}\n"),
    ("modules/m/main.tf", "variable \"file\" {}\nlocals {\n  x = file(\"${path.module}/${var.file}\")\n}\n"),
    ("modules/m/f.txt", "1\n"),
    ("live/b/main.tf", "locals {\n  all = fileset(path.module, \"**/*.json\")\n}\n"),
];

static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();

/// Each five bytes of the input are a place and what is added there; what is left over at its end replaces the
/// end of the file.
///
/// # Panics
/// Where the catalog comes out differently.
pub fn run(data: &[u8]) {
    scratch::with(|repository, kept| {
        let file = |(path, text): &(&str, &str)| Some(FileEdit::write(RepoPath::parse(path).ok()?, *text));
        let files: Vec<FileEdit> = FILES.iter().filter_map(file).collect();
        let Some((_, tree)) = scratch::tree(repository, &files) else { return };
        let (dialects, rules) = (standard_dialects(), CatalogRules::default());
        let cache = CatalogCache::in_folder(&kept);
        let ask = |cache: &CatalogCache| {
            let catalog = cache.catalog(&tree, &dialects, &rules).expect("a kept index is never an error");
            said(&catalog)
        };
        let right = ask(&CatalogCache::none());
        let _ = std::fs::remove_dir_all(&kept);
        ask(&cache);
        let Some(place) = std::fs::read_dir(&kept).ok().and_then(|mut all| all.next()?.ok()) else { return };
        let Ok(whole) = std::fs::read(place.path()) else { return };
        let mut bytes = WHOLE.get_or_init(|| whole.clone()).clone();
        // The repository may be another than the one that was indexed first.
        if bytes.len() != whole.len() {
            bytes = whole;
        }
        let mut turns = data.chunks_exact(5);
        for turn in &mut turns {
            let at = u32::from_le_bytes([turn[0], turn[1], turn[2], turn[3]]) as usize % bytes.len();
            bytes[at] = bytes[at].wrapping_add(turn[4]);
        }
        if let [length, ..] = turns.remainder() {
            bytes.truncate(bytes.len() * usize::from(*length) / 256);
        }
        if std::fs::write(place.path(), &bytes).is_ok() {
            assert_eq!(ask(&cache), right);
        }
    });
}

fn said(catalog: &Catalog) -> String {
    let list = (catalog.units(), catalog.modules(), catalog.references(), catalog.warnings());
    format!("{list:?}")
}
