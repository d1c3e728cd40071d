//! The client programs: what each needs to be built, and how it is started.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use super::client::Launch;
use super::eureka::{Refused, Traits};
use super::scenario::Act;
use super::{ensemble, eureka_ensemble, eureka_peers, jvm};
use crate::{process, python, workspace};

/// One published client, driven by a program of ours.
pub(super) struct Suite {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// The toolchain it needs, for people.
    pub(super) tool: &'static str,
    /// Programs that must answer.
    probes: &'static [(&'static str, &'static str)],
    prepare: fn() -> anyhow::Result<Vec<Launch>>,
    /// What it goes through.
    pub(super) plan: Plan,
}

/// What a suite's programs go through.
pub(super) enum Plan {
    /// The scenarios of a Nacos client.
    Nacos,
    /// The scenarios of an Eureka client, and more of its own.
    Eureka(Traits, &'static [Act]),
    /// Scenarios of its own, at the server that Nacos clients share.
    Own(&'static [Act]),
    /// An Eureka client and a Nacos client call each other.
    Mixed,
    /// Real Eureka servers and ours replicate to each other.
    Peers,
    /// Real Eureka servers and three nodes of ours replicate to each other.
    EnsemblePeers,
    /// Three nodes of ours are killed one after another under clients of all languages.
    Ensemble,
}

const JAVA: &[(&str, &str)] = &[("java", "-version"), ("mvn", "--version")];
const NODE: &[(&str, &str)] = &[("node", "--version"), ("npm", "--version")];
const PYTHON: &[(&str, &str)] = &[("python3", "--version")];
const GO: &[(&str, &str)] = &[("go", "version")];

const ALL: &[(&str, &str)] =
    &[("java", "-version"), ("mvn", "--version"), ("go", "version"), ("python3", "--version")];

const JDK: &str = "a JDK with Maven";

const DELTAS: Traits = Traits { deltas: true, refused: Refused::FetchesAll, xml: false };

const CALLS: &[Act] = &[Act {
    program: 1,
    scenario: "calls",
    checks: &["restclient", "resttemplate", "feign", "override", "leave"],
}];

const ALIBABA: &[Act] = &[
    Act { program: 0, scenario: "discovery", checks: &["calls", "cluster", "weights", "namespace"] },
    Act { program: 0, scenario: "import", checks: &["own", "refresh", "optional"] },
    Act {
        program: 1,
        scenario: "config",
        checks: &["own", "profile", "shared", "extension", "refresh", "refresh-shared", "removed"],
    },
];

const DUBBO: &[Act] = &[
    Act { program: 0, scenario: "interface", checks: &["config-centre", "live", "rule"] },
    Act { program: 0, scenario: "application", checks: &["call", "metadata-report", "live"] },
];

/// All suites, the slowest to start first.
pub(super) const SUITES: &[Suite] = &[
    suite("rust", "cargo", &[("cargo", "--version")], || Ok(vec![rust()?]), Plan::Nacos),
    suite("java1", JDK, JAVA, || Ok(vec![java("1")?]), Plan::Nacos),
    suite("java2", JDK, JAVA, || Ok(vec![java("2")?]), Plan::Nacos),
    suite("java3", JDK, JAVA, || Ok(vec![java("3")?]), Plan::Nacos),
    suite("go", "Go", GO, || Ok(vec![go("go")?]), Plan::Nacos),
    suite("python", "Python 3", PYTHON, || Ok(vec![python_program("python")?]), Plan::Nacos),
    suite("python-http", "Python 3", PYTHON, || Ok(vec![python_program("python-http")?]), Plan::Nacos),
    suite("node", "Node.js with npm", NODE, || Ok(vec![node("node")?]), Plan::Nacos),
    suite("eureka-java", JDK, JAVA, || Ok(vec![jvm::program("netflix", "Main")?]), Plan::Eureka(DELTAS, &[])),
    suite(
        "eureka-spring-2021",
        JDK,
        JAVA,
        || Ok(vec![jvm::program("spring-2021", "Main")?]),
        Plan::Eureka(DELTAS, &[]),
    ),
    suite(
        "eureka-spring",
        JDK,
        JAVA,
        || Ok(vec![jvm::program("spring", "Main")?, jvm::program("spring", "Calls")?]),
        Plan::Eureka(DELTAS, CALLS),
    ),
    suite(
        "eureka-python",
        "Python 3",
        PYTHON,
        || Ok(vec![python_program("eureka-python")?]),
        Plan::Eureka(Traits { refused: Refused::StaysAsItIs, ..DELTAS }, &[]),
    ),
    suite(
        "eureka-node",
        "Node.js with npm",
        NODE,
        || Ok(vec![node("eureka-node")?]),
        Plan::Eureka(Traits { refused: Refused::NeverAsks, ..DELTAS }, &[]),
    ),
    suite(
        "eureka-go",
        "Go",
        GO,
        || Ok(vec![go("eureka-go")?]),
        Plan::Eureka(Traits { deltas: false, refused: Refused::StaysAsItIs, xml: true }, &[]),
    ),
    suite(
        "alibaba",
        JDK,
        JAVA,
        || Ok(vec![jvm::program("alibaba", "Main")?, jvm::program("alibaba-2023", "Main")?]),
        Plan::Own(ALIBABA),
    ),
    suite("dubbo", JDK, JAVA, || Ok(vec![jvm::program("dubbo", "Main")?]), Plan::Own(DUBBO)),
    suite(
        "mixed",
        JDK,
        JAVA,
        || Ok(vec![jvm::program("spring", "CallsMixed")?, jvm::program("alibaba", "Mixed")?]),
        Plan::Mixed,
    ),
    suite(eureka_peers::NAME, JDK, JAVA, || Ok(vec![eureka_peers::build()?]), Plan::Peers),
    suite(eureka_ensemble::NAME, JDK, JAVA, || Ok(vec![eureka_peers::build()?]), Plan::EnsemblePeers),
    suite(
        ensemble::NAME,
        "a JDK with Maven, Go and Python 3",
        ALL,
        || Ok(vec![java("1")?, java("3")?, go("go")?, python_program("python")?]),
        Plan::Ensemble,
    ),
];

const fn suite(
    name: &'static str,
    tool: &'static str,
    probes: &'static [(&'static str, &'static str)],
    prepare: fn() -> anyhow::Result<Vec<Launch>>,
    plan: Plan,
) -> Suite {
    Suite { name, tool, probes, prepare, plan }
}

impl Suite {
    /// Whether everything it needs answers on this machine.
    pub(super) fn toolchain_present(&self) -> bool {
        self.probes.iter().all(|(program, argument)| process::present(program, &[argument]))
    }

    /// Builds the programs.
    pub(super) fn prepare(&self) -> anyhow::Result<Vec<Launch>> {
        (self.prepare)().with_context(|| format!("prepare the suite {}", self.name))
    }

    /// Whether it measures intervals: such suites run when those that fill the processors with their start are done.
    pub(super) fn measures(&self) -> bool {
        !matches!(self.plan, Plan::Nacos)
    }
}

/// Where a program's sources lie.
pub(super) fn sources(folder: &str) -> PathBuf {
    workspace::root().join("interop").join(folder)
}

fn text(path: PathBuf) -> anyhow::Result<String> {
    path.into_os_string().into_string().ok().context("a path here is not UTF-8")
}

/// Runs Maven, which does not lock its local repository against another Maven.
pub(super) fn with_maven<T>(run: impl FnOnce() -> T) -> T {
    static MAVEN: Mutex<()> = Mutex::new(());
    let _turn = MAVEN.lock().unwrap_or_else(PoisonError::into_inner);
    run()
}

/// One program, compiled against one line of the client by a Maven profile.
fn java(line: &str) -> anyhow::Result<Launch> {
    let output = workspace::target().join("interop-java").join(line);
    let mut build = process::command("mvn");
    build.args(["--quiet", "--batch-mode", "process-classes", "--file"]).arg(sources("java").join("pom.xml"));
    build.arg(format!("--activate-profiles=client-{line}")).arg(format!("-Dout={}", output.display()));
    with_maven(|| process::quiet(&mut build))?;
    let classes = format!("{}:{}/*", text(output.join("classes"))?, text(output.join("libraries"))?);
    Ok(java_program("-Xmx128m", &classes, &[&format!("-Dline={line}")], "muster.interop.Main"))
}

/// A class on a class path. Small heaps, as several run side by side; the clients keep caches and logs under the user's home.
pub(super) fn java_program(heap: &str, path: &str, options: &[&str], class: &str) -> Launch {
    let common = [heap, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.home=.", "-cp", path];
    let arguments = common.iter().chain(options).chain([&class]).map(|word| (*word).to_owned()).collect();
    Launch { program: "java".into(), arguments }
}

fn go(folder: &str) -> anyhow::Result<Launch> {
    let program = workspace::target().join(format!("interop-{folder}")).join("interop");
    let mut build = process::command("go");
    process::quiet(build.current_dir(sources(folder)).args(["build", "-o"]).arg(&program).arg("."))?;
    Ok(Launch { program, arguments: Vec::new() })
}

fn rust() -> anyhow::Result<Launch> {
    let manifest = sources("rust").join("Cargo.toml");
    let mut build = process::cargo(&["build", "--locked", "--manifest-path"]);
    let target = workspace::target().join("interop-rust");
    process::quiet(build.arg(manifest).env("CARGO_TARGET_DIR", &target))?;
    Ok(Launch { program: target.join("debug").join("muster-interop"), arguments: Vec::new() })
}

fn python_program(folder: &str) -> anyhow::Result<Launch> {
    let folder_path = sources(folder);
    let program = python::environment(&format!("interop-{folder}"), &folder_path.join("requirements.txt"))?;
    Ok(Launch { program, arguments: vec!["-u".to_owned(), text(folder_path.join("main.py"))?] })
}

/// The packages are installed in a copy under the target folder, the repository stays as it is.
fn node(name: &str) -> anyhow::Result<Launch> {
    let folder = workspace::target().join(format!("interop-{name}"));
    std::fs::create_dir_all(&folder).context("create the folder of the node program")?;
    let entries = std::fs::read_dir(sources(name)).context("list the node program")?;
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_file()) {
        let name = path.file_name().context("a file has a name")?;
        std::fs::copy(&path, folder.join(name)).context("copy the node program")?;
    }
    let mut install = process::command("npm");
    process::quiet(install.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    Ok(Launch { program: "node".into(), arguments: vec![text(folder.join("main.js"))?] })
}
