//! A node whose clock is wrong: the doctor says which, and by how much. No setting makes a clock wrong. A library that is
//! loaded before all others answers in the system's place.

use crate::{
    doctor::{self, Finding},
    figures::say,
    group::Group,
};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Says the time of day, off by some seconds; time that only counts on is the system's.
const LIBRARY: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long off(void) {
    const char *seconds = getenv("CLOCK_OFF_BY");
    return seconds ? atol(seconds) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += off();
    return failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec exact;
    int failed = clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    (void)zone;
    return failed;
}

time_t time(time_t *now) {
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (now) *now = exact.tv_sec;
    return exact.tv_sec;
}
"#;

/// Says that this could not be tried; where everything must be tried that is a failure.
fn skip(why: &str) {
    let must = std::env::vars().any(|(key, value)| key == "CI" && ["true", "1"].contains(&value.as_str()));
    assert!(!must, "a wrong clock was not tried: {why}");
    say(&format!("SKIPPED: {why}, a wrong clock was not tried"));
}

fn build(folder: &Path) -> Result<PathBuf, String> {
    let (source, library) = (folder.join("clock.c"), folder.join("libclock.so"));
    fs::write(&source, LIBRARY).unwrap();
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(&source);
    match compiler.output() {
        Ok(done) if done.status.success() => Ok(library),
        Ok(done) => Err(format!("cc: {}", String::from_utf8_lossy(&done.stderr).trim())),
        Err(error) => Err(format!("cc: {error}")),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_half_a_minute_off_is_named() {
    let mut group = Group::listed(3).await;
    let library = match build(&group.path("")) {
        Ok(library) => library.display().to_string(),
        Err(why) => return skip(&why),
    };
    let id = group.id(2).await;
    doctor::finds_nothing(&group, 0).await;
    for (off, direction) in [("30", "ahead of"), ("-30", "behind")] {
        group.nodes[2].stop().await;
        group.nodes[2].environment = [("LD_PRELOAD", &*library), ("CLOCK_OFF_BY", off)]
            .map(|(key, value)| (key.into(), value.into()))
            .into();
        group.start_again(2);
        group.nodes[2].wait_ready().await;
        let maps = fs::read_to_string(format!("/proc/{}/maps", group.nodes[2].id().unwrap()));
        if !maps.is_ok_and(|maps| maps.contains(&library)) {
            return skip("the program takes no library that is loaded before others");
        }
        group.wait_voters(2, 3).await;
        let found = doctor::ask(&group, 0).await;
        let [Finding { check, node, what, advice }] = &found[..] else { panic!("{found:#?}") };
        assert_eq!((check.as_str(), *node), ("clocks", Some(id)), "{found:#?}");
        let wanted = ["29", "30", "31"].map(|by| format!("its clock is {by} s {direction} the clock"));
        assert!(wanted.iter().any(|wanted| what.starts_with(wanted)), "{what}");
        assert!(advice.contains("NTP"), "{advice}");
        // Asked there it is the others who are off.
        let found = doctor::ask(&group, 2).await;
        let off: Vec<_> = found.iter().map(|finding| (finding.check.as_str(), finding.node)).collect();
        assert_eq!(off, [("clocks", Some(group.id(0).await)), ("clocks", Some(group.id(1).await))]);
    }
    group.nodes[2].stop().await;
    group.nodes[2].environment.clear();
    group.start_again(2);
    group.nodes[2].wait_ready().await;
    group.wait_voters(2, 3).await;
    doctor::finds_nothing(&group, 0).await;
}
