//! Tests of address: the cases collected from Terraform, OpenTofu, go-getter, go-version, go-versions and
//! Terragrunt, where they can be found, and what no case file has.

use std::io::Write;

use infraflow_core::address::{
    AddressError, AddressRules, GitTags, ModuleConstraint, PackageIdentity, ProviderConstraint,
    ProviderVersion, RegistryAddress, SourceAddress, SourceKind, Version, VersionSource,
};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::fixture::Repo;

/// A file of cases, from the folder that `INFRAFLOW_CASES` names; `None`, and a line that says so, where
/// there is none.
pub fn cases(file: &str, test: &str) -> Option<Vec<Value>> {
    let Some(folder) = std::env::var_os("INFRAFLOW_CASES") else {
        eprintln!("skipped: {test} needs {file}, and INFRAFLOW_CASES names no folder");
        if let Some(skipped) = std::env::var_os("INFRAFLOW_SKIPPED") {
            let mut skipped = std::fs::OpenOptions::new().create(true).append(true).open(skipped).unwrap();
            writeln!(skipped, "{test} needs {file}").unwrap();
        }
        return None;
    };
    let text = std::fs::read_to_string(std::path::Path::new(&folder).join(file)).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Checks every case, prints how many are right, and fails with those that are not.
pub fn tally(what: &str, cases: &[Value], check: impl Fn(&Value) -> Result<(), String>) {
    let wrong: Vec<String> =
        cases.iter().filter_map(|case| check(case).err().map(|why| format!("{why}\n  {case}"))).collect();
    eprintln!("{what}: {} of {} right", cases.len() - wrong.len(), cases.len());
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

fn text<'a>(case: &'a Value, key: &str) -> Option<&'a str> {
    case.get(key).and_then(Value::as_str)
}

fn expect_eq<T: PartialEq + std::fmt::Debug>(what: &str, got: T, want: T) -> Result<(), String> {
    if got == want { Ok(()) } else { Err(format!("{what}: got {got:?}, want {want:?}")) }
}

/// Whose parser a case speaks of.
fn rules(case: &Value) -> AddressRules {
    let tools: Vec<_> = case["tool"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    if case["scope"] == "detector" {
        // One branch of go-getter alone: Terraform asks first whether it is a registry module.
        return AddressRules::Terragrunt;
    }
    match tools.as_slice() {
        ["opentofu"] => AddressRules::OpenTofu,
        tools if tools.contains(&"terraform") => AddressRules::Terraform,
        _ => AddressRules::Terragrunt,
    }
}

#[test]
fn source_addresses_of_public_projects_are_read_as_their_tools_read_them() {
    if let Some(cases) = cases("source_addresses.jsonl", "source addresses") {
        // A path that only a Windows machine takes for relative to its drive is not claimed.
        let drive = |case: &&Value| case["os"] == "windows" && case["expect"]["url"] == "file:///pwd/foo";
        let (left_out, cases): (Vec<_>, Vec<_>) = cases.iter().partition(drive);
        assert!(left_out.len() < 2);
        let cases: Vec<_> = cases.into_iter().cloned().collect();
        tally("source addresses", &cases, check_source);
    }
}

fn check_source(case: &Value) -> Result<(), String> {
    let (input, scope, expect) =
        (text(case, "input").unwrap(), text(case, "scope").unwrap(), &case["expect"]);
    let pwd = text(case, "pwd").unwrap_or_default();
    if scope == "registry-only" {
        let read = RegistryAddress::parse(input);
        if expect["error"] == true {
            return read.map_or(Ok(()), |address| Err(format!("accepted as {address:?}")));
        }
        let address = read.map_err(|error| error.to_string())?;
        return check_registry(&address, rules(case), expect);
    }
    let read = SourceAddress::parse_as(input, rules(case));
    if expect["error"] == true {
        let relative = scope == "file-detector" && pwd.is_empty();
        return match read {
            // Go's detector needs a folder for what we call local without one.
            Ok(address) if relative && address.file_url(pwd).is_none() => Ok(()),
            Ok(address) => Err(format!("accepted as {address:?}")),
            Err(error) => match text(expect, "suggested") {
                Some(suggested) if !error.to_string().contains(suggested) => {
                    Err(format!("no suggestion in {error}"))
                }
                _ => Ok(()),
            },
        };
    }
    if let Some(kind) = text(expect, "not_kind") {
        return match read {
            Ok(address) if address.kind().as_str() == kind => Err(format!("taken for {kind}")),
            _ => Ok(()),
        };
    }
    let address = read.map_err(|error| error.to_string())?;
    if let Some(registry) = address.registry() {
        check_registry(registry, rules(case), expect)?;
    }
    if let Some(kind) = text(expect, "kind") {
        let got = match address.kind() {
            SourceKind::Other if kind != "unknown" => {
                address.forced().or(address.scheme()).unwrap_or_default()
            }
            SourceKind::Other => "unknown",
            kind => kind.as_str(),
        };
        expect_eq("kind", got, kind)?;
    }
    let file_url = address.file_url(pwd);
    let url = match scope {
        "split" => address.location().to_owned(),
        "terragrunt-s3-download" => PackageIdentity::of(&address).to_string(),
        _ => file_url.clone().unwrap_or_else(|| address.url().to_owned()),
    };
    if let Some(want) = text(expect, "url") {
        expect_eq("url", url.as_str(), want)?;
    }
    if let Some(want) = text(expect, "subdir") {
        expect_eq("subdir", address.subdir().unwrap_or_default(), want)?;
    }
    if let Some(want) = text(expect, "ref") {
        expect_eq("ref", address.reference().unwrap_or_default(), want.to_owned())?;
    }
    if let Some(want) = expect["params"].as_array() {
        let got: Vec<_> = address.params().iter().map(|param| Value::from(param.raw())).collect();
        expect_eq("params", &got, want)?;
    }
    if let Some(want) = text(expect, "package") {
        let location = address.location().to_owned();
        let got = match scope {
            "repo-url" => location,
            "split" => address.params().iter().enumerate().fold(location, |text, (i, param)| {
                format!("{text}{}{}", if i == 0 { "?" } else { "&" }, param.raw())
            }),
            _ => address.package(),
        };
        expect_eq("package", got.as_str(), want)?;
    }
    if let Some(want) = text(expect, "remaining_url") {
        expect_eq("remaining_url", address.without_params(&["depth", "ref"]).as_str(), want)?;
    }
    if let Some(want) = text(expect, "canonical") {
        let got = match &file_url {
            Some(url) => address.canonical().replacen(address.url(), url, 1),
            None => address.canonical(),
        };
        expect_eq("canonical", got.as_str(), want)?;
    }
    if let Some(want) = text(expect, "version") {
        expect_eq("version", address.reference().unwrap_or_default(), want.to_owned())?;
    }
    if let Some(want) = expect["version_is_constraint"].as_bool() {
        expect_eq("version_is_constraint", address.version_is_constraint(), want)?;
    }
    Ok(())
}

fn check_registry(address: &RegistryAddress, rules: AddressRules, expect: &Value) -> Result<(), String> {
    let default = rules.default_registry();
    for (key, got) in [
        ("host", address.host_or(default)),
        ("namespace", &address.namespace),
        ("name", &address.name),
        ("provider", &address.provider),
        ("subdir", address.subdir.as_deref().unwrap_or_default()),
        ("protocol", &format!("{}/{}/{}", address.namespace, address.name, address.provider)),
    ] {
        if let Some(want) = text(expect, key) {
            expect_eq(key, got, want)?;
        }
    }
    if let Some(want) = text(expect, "display") {
        let subdir = address.subdir.as_ref().map(|dir| format!("//{dir}")).unwrap_or_default();
        expect_eq("display", format!("{}{subdir}", address.package(default)).as_str(), want)?;
    }
    Ok(())
}

#[test]
fn module_constraints_hold_as_go_version_has_them() {
    if let Some(cases) = cases("module_constraints.jsonl", "module constraints") {
        tally("module constraints", &cases, check_module);
    }
}

fn check_module(case: &Value) -> Result<(), String> {
    let layer = text(case, "layer").unwrap();
    let version = |text: &str| Version::parse(text).map_err(|error| error.to_string());
    if let Some(available) = case["available"].as_array() {
        let rules = if layer == "terragrunt-tfr" { AddressRules::Terragrunt } else { AddressRules::OpenTofu };
        let available: Vec<_> =
            available.iter().filter_map(|v| Version::parse(v.as_str().unwrap()).ok()).collect();
        let got = match text(case, "constraint") {
            Some(constraint) => {
                ModuleConstraint::parse(constraint).map_err(|e| e.to_string())?.select(&available, rules)
            }
            None => Version::newest_release(&available),
        };
        return expect_eq("selected", got.map(Version::as_written), text(case, "selected"));
    }
    if let Some(versions) = case["versions"].as_array() {
        let mut got: Vec<_> =
            versions.iter().map(|v| version(v.as_str().unwrap())).collect::<Result<_, _>>()?;
        got.sort();
        let got: Vec<_> = got.iter().map(|v| Value::from(v.to_string())).collect();
        return expect_eq("sorted", &got, case["sorted"].as_array().unwrap());
    }
    let Some(constraint) = text(case, "constraint") else {
        let read = version(text(case, "version").unwrap());
        if let Some(valid) = case["valid"].as_bool() {
            return expect_eq("valid", read.is_ok(), valid);
        }
        let read = read?;
        if let (Some(other), Some(want)) = (text(case, "other"), case["compare"].as_i64()) {
            expect_eq("compare", read.compare_as_terraform(&version(other)?) as i64, want)?;
        }
        for (key, got) in [
            ("metadata", read.metadata().to_owned()),
            ("prerelease", read.prerelease().to_owned()),
            ("normalized", read.to_string()),
        ] {
            if let Some(want) = text(case, key) {
                expect_eq(key, got.as_str(), want)?;
            }
        }
        if let Some(want) = case["segments"].as_array() {
            let got: Vec<_> = read.segments().iter().map(|&n| Value::from(n)).collect();
            expect_eq("segments", &got, want)?;
        }
        return Ok(());
    };
    let read = match layer {
        "required_version" => ModuleConstraint::parse_required_version(constraint),
        _ => ModuleConstraint::parse(constraint),
    };
    if case["error"] == true {
        return read.map_or(Ok(()), |c| Err(format!("accepted as {c:?}")));
    }
    let read = read.map_err(|error| error.to_string())?;
    if let Some(want) = case["count"].as_u64() {
        expect_eq("count", read.terms() as u64, want)?;
    }
    if let (Some(v), Some(want)) = (text(case, "version"), case["satisfied"].as_bool()) {
        expect_eq("satisfied", read.allows(&version(v)?), want)?;
    }
    if let Some(want) = case["names_prerelease"].as_bool() {
        expect_eq("names_prerelease", read.names_prerelease(), want)?;
    }
    if let (Some(other), Some(want)) = (text(case, "other"), case["equal"].as_bool()) {
        let other = ModuleConstraint::parse(other).map_err(|error| error.to_string())?;
        expect_eq("equal", read == other, want)?;
    }
    Ok(())
}

#[test]
fn provider_constraints_hold_as_go_versions_has_them_and_differ_from_those_of_modules() {
    if let Some(cases) = cases("provider_constraints.jsonl", "provider constraints") {
        tally("provider constraints", &cases, check_provider);
    }
}

fn check_provider(case: &Value) -> Result<(), String> {
    let version = |text: &str| ProviderVersion::parse(text).map_err(|error| error.to_string());
    if let Some(differs) = case.get("differs") {
        let (constraint, wanted) = (text(case, "constraint").unwrap(), text(case, "version").unwrap());
        let module = ModuleConstraint::parse(constraint).and_then(|c| Ok((c, Version::parse(wanted)?)));
        let provider =
            ProviderConstraint::parse(constraint).and_then(|c| Ok((c, ProviderVersion::parse(wanted)?)));
        let say = |answer: Option<bool>| answer.map_or_else(|| Value::from("error"), Value::from);
        let module = module.ok();
        expect_eq("module", say(module.as_ref().map(|(c, v)| c.allows(v))), differs["module"].clone())?;
        let installs = say(module.as_ref().map(|(c, v)| c.installs(v)));
        expect_eq("module_install", installs, differs["module_install"].clone())?;
        return expect_eq(
            "provider",
            say(provider.ok().map(|(c, v)| c.allows(&v))),
            differs["provider"].clone(),
        );
    }
    let Some(constraint) = text(case, "constraint") else {
        let read = version(text(case, "version").unwrap());
        return expect_eq("valid", read.is_ok(), case["valid"].as_bool().unwrap());
    };
    let read = ProviderConstraint::parse(constraint);
    if case["error"] == true {
        return read.map_or(Ok(()), |c| Err(format!("accepted as {c:?}")));
    }
    let read = read.map_err(|error| error.to_string())?;
    if let (Some(v), Some(want)) = (text(case, "version"), case["satisfied"].as_bool()) {
        expect_eq("satisfied", read.allows(&version(v)?), want)?;
    }
    if let Some(want) = text(case, "canonical") {
        expect_eq("canonical", read.canonical().as_str(), want)?;
    }
    if let Some(terms) = case["equivalent"].as_array() {
        let same =
            ProviderConstraint::parse(&terms.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "))
                .map_err(|error| error.to_string())?;
        for major in 0..4 {
            for rest in ["0.0", "0.1", "0.0-beta1", "1.9", "2.0", "2.3", "2.5", "3.0", "3.0-beta1"] {
                let v = version(&format!("{major}.{rest}"))?;
                expect_eq(&format!("equivalent at {v}"), read.allows(&v), same.allows(&v))?;
            }
        }
    }
    Ok(())
}

#[test]
fn a_ref_is_changed_in_any_position_and_nothing_else_is() {
    for (before, after) in [
        ("git::https://h/r.git?ref=v1", "git::https://h/r.git?ref=v2"),
        ("git::https://h/r-v1//v1?ref=v1", "git::https://h/r-v1//v1?ref=v2"),
        ("git::https://h/r?depth=1&ref=v1&sshkey=v1", "git::https://h/r?depth=1&ref=v2&sshkey=v1"),
        ("git::https://h/r?xref=v1&ref=v1", "git::https://h/r?xref=v1&ref=v2"),
        ("git::https://h/r//m", "git::https://h/r//m?ref=v2"),
        ("git::https://h/r//m?", "git::https://h/r//m?ref=v2"),
        ("git::https://h/r?depth=1", "git::https://h/r?depth=1&ref=v2"),
        ("git::https://h/r?ref=&depth=1", "git::https://h/r?ref=v2&depth=1"),
        ("git::https://h/r?ref&depth=1", "git::https://h/r?ref=v2&depth=1"),
        ("git@h:o/r.git//m?ref=0123456789abcdef0123456789abcdef01234567", "git@h:o/r.git//m?ref=v2"),
        ("git::https://h/r?ref=net%2Fv1.0.0#frag", "git::https://h/r?ref=v2#frag"),
    ] {
        assert_eq!(SourceAddress::parse(before).unwrap().with_ref("v2").unwrap(), after, "{before}");
    }
    let address = SourceAddress::parse("git::https://h/r?ref=net%2Fv1.0.0").unwrap();
    assert_eq!(address.reference().as_deref(), Some("net/v1.0.0"));
    let edited = SourceAddress::parse(&address.with_ref("net/v1.0.0+build").unwrap()).unwrap();
    assert_eq!(edited.reference().as_deref(), Some("net/v1.0.0+build"));
}

#[test]
fn an_address_that_leads_out_of_its_package_is_refused() {
    for bad in ["git::https://h/r//../x", "git::https://h/r//a/../../x", "/tmp/foo//..", "github.com/a/b//.."]
    {
        let error = SourceAddress::parse(bad).unwrap_err().to_string();
        assert!(error.contains("leads out of the package"), "{bad}: {error}");
    }
    assert!(SourceAddress::parse("./a").unwrap().with_ref("v1").is_err());
    let scp_in_a_url = SourceAddress::parse("git::ssh://git@github.com:org/repo.git").unwrap_err();
    assert!(scp_in_a_url.to_string().contains("without a scheme"), "{scp_in_a_url}");
}

#[test]
fn an_address_survives_json() {
    let address = SourceAddress::parse_as("tfr:///a/b/c?version=1.0.0", AddressRules::Terragrunt).unwrap();
    let json = serde_json::to_string(&address).unwrap();
    assert_eq!(serde_json::from_str::<SourceAddress>(&json).unwrap(), address);
}

#[tokio::test]
async fn the_tags_of_a_remote_are_the_versions_of_its_modules() {
    let repo = Repo::with(&[("modules/net/main.tf", "")]);
    for tag in ["net/v1.0.0", "net/v1.2.0", "db/v3.0.0"] {
        repo.git(&["tag", "-a", tag, "-m", tag]);
    }
    let repo = repo.with_origin();
    let cancel = CancellationToken::new();
    let versions = async |source: String| {
        let address = SourceAddress::parse(&source).unwrap();
        let found = GitTags::default().versions(&address, &cancel).await?;
        Ok::<_, AddressError>(found.into_iter().map(|found| found.reference).collect::<Vec<_>>())
    };
    let origin = repo.origin();
    let origin = origin.display();
    let found = versions(format!("git::file://{origin}//modules/net?ref=net/v1.0.0")).await.unwrap();
    assert_eq!(found, ["net/v1.0.0", "net/v1.2.0"]);
    let gone = versions(format!("git::file://{origin}/gone")).await.unwrap_err();
    assert!(matches!(gone, AddressError::Observe { .. }), "{gone}");
    let local = versions("./net".to_owned()).await.unwrap_err();
    assert!(matches!(local, AddressError::NotAsked { .. }), "{local}");
    cancel.cancel();
    let cancelled = versions(format!("git::file://{origin}")).await.unwrap_err();
    assert!(matches!(cancelled, AddressError::Cancelled { .. }), "{cancelled}");
}
