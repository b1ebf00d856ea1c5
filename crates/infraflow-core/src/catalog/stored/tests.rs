use super::{super::ReferenceKind, *};

fn path(text: &str) -> RepoPath {
    RepoPath::parse(text).unwrap()
}

fn record(edges: usize) -> Record {
    let key = Key { at: path("live/prod/db"), dialect: 1, test: false };
    let edge = |n: usize| Edge {
        to: match n % 3 {
            0 => End::File(path(&format!("live/prod/file{n}"))),
            1 => End::Scope(path("modules/db")),
            _ => {
                let mut glob = Glob::default();
                glob.push_text(b"x");
                End::Matching {
                    directory: RepoPath::root(),
                    glob: glob.clone(),
                    unknown: true,
                    except: vec![glob],
                }
            }
        },
        kind: ReferenceKind::FileRead,
        when_run: n.is_multiple_of(2),
        looked: n.is_multiple_of(5),
        part: n.is_multiple_of(7).then(|| Digest::of_bytes(b"part")),
        proofs: vec![Proof::whole_file(path("live/prod/db/main.tf"), &format!("text {}", n / 2))],
    };
    let text = |value: &str| Text { value: value.to_owned(), place: Place::beginning(), verbatim: false };
    let call = |n: usize| CallRecord {
        name: format!("call{n}"),
        in_file: path("live/prod/db/main.tf"),
        place: Place { start: 300, end: 70_000, line: 12, column: 3 },
        source: n.is_multiple_of(2).then(|| text("../x")),
        version: n.is_multiple_of(3).then(|| text("1.2.3")),
        target: (n > 1).then(|| path("modules/db")),
        left_out: vec!["**/.*".to_owned(); n],
    };
    Record {
        directory: key.at.clone(),
        key,
        marks: vec![MarkKind::Unit],
        valued: true,
        takes_values: false,
        edges: (0..edges).map(edge).collect(),
        state: Some(path("s3:a/b")),
        lends: vec![path("live/prod/db/x"), path("live")],
        open: Vec::new(),
        defaults: BTreeMap::from([("a".to_owned(), StaticValue::Null)]),
        calls: (0..edges.min(4)).map(call).collect(),
        unparsable: Vec::new(),
        warnings: vec![(true, "a warning".to_owned())],
    }
}

fn written(record: &Record) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(record, &mut bytes);
    bytes
}

#[test]
fn a_record_is_read_as_it_was_written() {
    for edges in [0, 1, FEW - 3, FEW, 4 * FEW] {
        let record = record(edges);
        assert_eq!(read(&written(&record)).unwrap(), record);
    }
}

#[test]
fn every_kind_has_its_number() {
    let mut of = record(1);
    for number in 0..=u8::MAX {
        let Ok(kind) = postcard::from_bytes::<ReferenceKind>(&[number]) else {
            assert!(number > 15);
            break;
        };
        of.edges[0].kind = kind;
        assert_eq!(read(&written(&of)).unwrap(), of);
    }
    for mark in [MarkKind::Unit, MarkKind::Case, MarkKind::LikelyUnit] {
        of.marks = vec![mark];
        assert_eq!(read(&written(&of)).unwrap(), of);
    }
}

#[test]
fn bytes_that_are_cut_short_or_changed_are_no_other_record_that_fails() {
    let bytes = written(&record(9));
    assert!((0..bytes.len()).all(|end| read(&bytes[..end]).is_none()));
    for at in 0..bytes.len() {
        for by in [1, 0x40, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[at] ^= by;
            // Whatever it says, it says it without a panic, and its paths are paths.
            if let Some(record) = read(&changed) {
                assert!(RepoPath::parse(record.directory.as_bytes()).is_ok());
            }
        }
    }
}
