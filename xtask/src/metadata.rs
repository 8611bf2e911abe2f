//! What `cargo metadata` says about the workspace's own packages.

use serde_json::Value;

/// A member of the workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Package {
    /// Its name on crates.io.
    pub(crate) name: String,
    /// Its folder, relative to the repository, such as `crates/core`.
    pub(crate) folder: String,
    /// Whether `cargo publish` would take it.
    pub(crate) publication: Publication,
    /// Its licence expression.
    pub(crate) license: Option<String>,
    /// Its readme file.
    pub(crate) readme: Option<String>,
    /// The names of its features, `default` included when it turns something on.
    pub(crate) features: Vec<String>,
    /// Whether it can be depended on.
    pub(crate) product: Product,
    /// Everything it depends on, of ours or not.
    pub(crate) dependencies: Vec<Dependency>,
}

/// Whether a package may leave the house.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Publication {
    /// To any registry.
    Published,
    /// `publish = false`.
    Unpublished,
}

/// What a package builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Product {
    /// A library, perhaps with programs next to it.
    Library,
    /// Programs only.
    Program,
}

/// One line of a dependency table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The package's own name, whatever it is renamed to.
    pub(crate) name: String,
    /// The version requirement; `*` when there is none.
    pub(crate) requirement: String,
    /// In which table it stands.
    pub(crate) table: Table,
    /// Whether a feature decides about it.
    pub(crate) presence: Presence,
}

/// The three dependency tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Table {
    /// `[dependencies]`
    Normal,
    /// `[dev-dependencies]`
    Dev,
    /// `[build-dependencies]`
    Build,
}

/// Whether a dependency is always there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    /// In every build.
    Required,
    /// Only when a feature asks for it.
    Optional,
}

impl Table {
    /// The table's heading in a manifest.
    pub(crate) fn heading(self) -> &'static str {
        match self {
            Self::Normal => "dependencies",
            Self::Dev => "dev-dependencies",
            Self::Build => "build-dependencies",
        }
    }
}

/// Reads the output of `cargo metadata --format-version 1 --no-deps`.
///
/// # Errors
///
/// When it is not that.
pub(crate) fn parse(json: &str) -> Result<Vec<Package>, String> {
    let wrong = |what: &str| format!("`cargo metadata` printed something unexpected: {what}");
    let value: Value = serde_json::from_str(json).map_err(|error| wrong(&error.to_string()))?;
    let root = string(&value, "workspace_root").ok_or_else(|| wrong("no workspace_root"))?;
    let packages = list(&value, "packages").map(|entry| package(entry, &root));
    packages.collect::<Option<Vec<_>>>().ok_or_else(|| wrong("a package without name, path or dependencies"))
}

fn package(entry: &Value, root: &str) -> Option<Package> {
    let manifest = string(entry, "manifest_path")?;
    let folder = manifest.strip_prefix(root)?.strip_suffix("Cargo.toml")?;
    let unpublished = entry.get("publish").and_then(Value::as_array).is_some_and(Vec::is_empty);
    let builds_library =
        list(entry, "targets").flat_map(|target| list(target, "kind")).any(|kind| kind == "lib");
    let features = entry.get("features")?.as_object()?.iter();
    let turns_something_on = |(name, on): &(&String, &Value)| {
        name.as_str() != "default" || on.as_array().is_some_and(|on| !on.is_empty())
    };
    Some(Package {
        name: string(entry, "name")?,
        folder: folder.replace('\\', "/").trim_matches('/').to_owned(),
        publication: if unpublished { Publication::Unpublished } else { Publication::Published },
        license: string(entry, "license"),
        readme: string(entry, "readme"),
        features: features.filter(turns_something_on).map(|(name, _)| name.clone()).collect(),
        product: if builds_library { Product::Library } else { Product::Program },
        dependencies: list(entry, "dependencies").map(dependency).collect::<Option<_>>()?,
    })
}

fn dependency(entry: &Value) -> Option<Dependency> {
    Some(Dependency {
        name: string(entry, "name")?,
        requirement: string(entry, "req")?,
        table: match entry.get("kind").and_then(Value::as_str) {
            None => Table::Normal,
            Some("dev") => Table::Dev,
            Some(_) => Table::Build,
        },
        presence: match entry.get("optional").and_then(Value::as_bool)? {
            true => Presence::Optional,
            false => Presence::Required,
        },
    })
}

fn string(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::{Dependency, Package, Presence, Product, Publication, Table, parse};

    #[test]
    fn a_package_is_read() {
        let json = r#"{"workspace_root": "/house", "packages": [{
            "name": "malipo-core", "manifest_path": "/house/crates/core/Cargo.toml", "publish": null,
            "license": "MIT OR Apache-2.0", "readme": "README.md",
            "features": {"default": [], "tokio": ["dep:tokio"]},
            "targets": [{"kind": ["lib"]}, {"kind": ["test"]}],
            "dependencies": [
                {"name": "tokio", "req": "^1", "kind": null, "optional": true},
                {"name": "proptest", "req": "*", "kind": "dev", "optional": false},
                {"name": "cc", "req": "^1", "kind": "build", "optional": false}]}]}"#;
        let dependency = |name: &str, requirement: &str, table, presence| Dependency {
            name: name.to_owned(),
            requirement: requirement.to_owned(),
            table,
            presence,
        };
        let expected = Package {
            name: "malipo-core".to_owned(),
            folder: "crates/core".to_owned(),
            publication: Publication::Published,
            license: Some("MIT OR Apache-2.0".to_owned()),
            readme: Some("README.md".to_owned()),
            features: vec!["tokio".to_owned()],
            product: Product::Library,
            dependencies: vec![
                dependency("tokio", "^1", Table::Normal, Presence::Optional),
                dependency("proptest", "*", Table::Dev, Presence::Required),
                dependency("cc", "^1", Table::Build, Presence::Required),
            ],
        };
        assert_eq!(parse(json), Ok(vec![expected]));
    }

    #[test]
    fn an_unpublished_program_is_recognised() {
        let json = r#"{"workspace_root": "/house", "packages": [{"name": "xtask", "publish": [], "features": {},
            "manifest_path": "/house/xtask/Cargo.toml", "targets": [{"kind": ["bin"]}], "dependencies": []}]}"#;
        let packages = parse(json).unwrap();
        let read = packages.iter().map(|p| (p.folder.as_str(), p.publication, p.product)).collect::<Vec<_>>();
        assert_eq!(read, [("xtask", Publication::Unpublished, Product::Program)]);
    }

    #[test]
    fn anything_else_is_refused() {
        assert!(parse("error: no manifest").is_err());
        assert!(parse("{}").unwrap_err().contains("workspace_root"));
        assert!(parse(r#"{"workspace_root": "/a", "packages": [{"name": "b"}]}"#).is_err());
    }
}
