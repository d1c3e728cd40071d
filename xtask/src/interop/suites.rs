//! The client programs: what each needs to be built, and how it is started.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use anyhow::Context;

use super::client::Launch;
use crate::{process, python, workspace};

/// One published client, driven by a program of ours.
pub(super) struct Suite {
    /// Its name on the command line.
    pub(super) name: &'static str,
    /// The toolchain it needs, for people.
    pub(super) tool: &'static str,
    /// Programs that must answer.
    probes: &'static [(&'static str, &'static str)],
    prepare: fn() -> anyhow::Result<Launch>,
}

const JAVA: &[(&str, &str)] = &[("java", "-version"), ("mvn", "--version")];
const PYTHON: &[(&str, &str)] = &[("python3", "--version")];

/// All suites, the slowest to start first.
pub(super) const SUITES: &[Suite] = &[
    Suite { name: "rust", tool: "cargo", probes: &[("cargo", "--version")], prepare: rust },
    Suite { name: "java1", tool: "a JDK with Maven", probes: JAVA, prepare: || java("1") },
    Suite { name: "java2", tool: "a JDK with Maven", probes: JAVA, prepare: || java("2") },
    Suite { name: "java3", tool: "a JDK with Maven", probes: JAVA, prepare: || java("3") },
    Suite { name: "go", tool: "Go", probes: &[("go", "version")], prepare: go },
    Suite { name: "python", tool: "Python 3", probes: PYTHON, prepare: || python_program("python") },
    Suite {
        name: "python-http",
        tool: "Python 3",
        probes: PYTHON,
        prepare: || python_program("python-http"),
    },
    Suite {
        name: "node",
        tool: "Node.js with npm",
        probes: &[("node", "--version"), ("npm", "--version")],
        prepare: node,
    },
];

impl Suite {
    /// Whether everything it needs answers on this machine.
    pub(super) fn toolchain_present(&self) -> bool {
        self.probes.iter().all(|(program, argument)| process::present(program, &[argument]))
    }

    /// Builds the program.
    pub(super) fn prepare(&self) -> anyhow::Result<Launch> {
        (self.prepare)().with_context(|| format!("prepare the suite {}", self.name))
    }
}

fn sources(folder: &str) -> PathBuf {
    workspace::root().join("interop").join(folder)
}

fn text(path: PathBuf) -> anyhow::Result<String> {
    path.into_os_string().into_string().ok().context("a path here is not UTF-8")
}

/// Maven does not lock its local repository against another Maven.
static MAVEN: Mutex<()> = Mutex::new(());

/// One program, compiled against one line of the client by a Maven profile.
fn java(line: &str) -> anyhow::Result<Launch> {
    let output = workspace::target().join("interop-java").join(line);
    let mut build = process::command("mvn");
    build.args(["--quiet", "--batch-mode", "process-classes", "--file"]).arg(sources("java").join("pom.xml"));
    build.arg(format!("--activate-profiles=client-{line}")).arg(format!("-Dout={}", output.display()));
    let turn = MAVEN.lock().unwrap_or_else(PoisonError::into_inner);
    process::quiet(&mut build)?;
    drop(turn);
    let classes = format!("{}:{}/*", text(output.join("classes"))?, text(output.join("libraries"))?);
    // Small heaps, as several run side by side; the clients keep caches and logs under the user's home.
    let options = ["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Duser.home=.", "-cp"];
    let mut arguments: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
    arguments.extend([classes, format!("-Dline={line}"), "muster.interop.Main".to_owned()]);
    Ok(Launch { program: "java".into(), arguments })
}

fn go() -> anyhow::Result<Launch> {
    let program = workspace::target().join("interop-go").join("interop");
    let mut build = process::command("go");
    process::quiet(build.current_dir(sources("go")).args(["build", "-o"]).arg(&program).arg("."))?;
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
fn node() -> anyhow::Result<Launch> {
    let folder = workspace::target().join("interop-node");
    std::fs::create_dir_all(&folder).context("create the folder of the node program")?;
    let entries = std::fs::read_dir(sources("node")).context("list the node program")?;
    for path in entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| path.is_file()) {
        let name = path.file_name().context("a file has a name")?;
        std::fs::copy(&path, folder.join(name)).context("copy the node program")?;
    }
    let mut install = process::command("npm");
    process::quiet(install.current_dir(&folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]))?;
    Ok(Launch { program: "node".into(), arguments: vec![text(folder.join("main.js"))?] })
}
