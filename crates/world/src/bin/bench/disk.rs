//! What the figures were measured on.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use malipo::{Env as _, SystemEnv};
use tempfile::TempDir;

/// How many times the disk is asked to keep a page.
const PAGES: usize = 400;

/// A new folder below this one, for what is measured. Tells what it is measured on.
///
/// # Errors
///
/// When nothing can be written there.
pub(crate) fn folder(below: &Path) -> Result<TempDir, Box<dyn Error>> {
    fs::create_dir_all(below)?;
    let folder = TempDir::new_in(below)?;
    anstream::println!("{}; {}", machine(), file_system(folder.path()));
    tell_flush(folder.path())?;
    Ok(folder)
}

/// Cores and processor, as far as the system says.
fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let built = if cfg!(debug_assertions) { ", NOT BUILT FOR SPEED" } else { "" };
    format!("{cores} cores, {}{built}", model.unwrap_or("processor unknown"))
}

/// The file system and device that `folder` is on, as far as the system says.
fn file_system(folder: &Path) -> String {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    let Ok(folder) = folder.canonicalize() else { return "file system unknown".to_owned() };
    let mounted = mounts.lines().filter_map(|line| {
        let mut words = line.split(' ');
        let (device, place, kind) = (words.next()?, words.next()?, words.next()?);
        folder.starts_with(place).then_some((place.len(), format!("{kind} on {device}")))
    });
    mounted.max_by_key(|(length, _)| *length).map_or("file system unknown".to_owned(), |(_, told)| told)
}

/// Tells how long it takes to keep something.
///
/// # Errors
///
/// As [`flush`].
pub(crate) fn tell_flush(folder: &Path) -> Result<(), Box<dyn Error>> {
    let (median, most) = flush(folder)?;
    let (median, most) = (median.as_micros(), most.as_micros());
    anstream::println!("4 KiB and fdatasync, growing file: median {median} us, 99 of 100 below {most} us");
    Ok(())
}

/// How long the disk takes to keep a page at the end of a growing file: the median, and what 99 of 100 stay below.
///
/// # Errors
///
/// When the file cannot be written.
fn flush(folder: &Path) -> Result<(Duration, Duration), Box<dyn Error>> {
    let path = folder.join("pages");
    let (mut file, env, page) = (File::create(&path)?, SystemEnv::new(), [7; 4096]);
    let mut took = Vec::with_capacity(PAGES);
    for _ in 0..PAGES {
        let before = env.monotonic();
        file.write_all(&page)?;
        file.sync_data()?;
        took.push(env.monotonic().saturating_sub(before));
    }
    fs::remove_file(path)?;
    took.sort_unstable();
    let at = |percent: usize| took.get(PAGES * percent / 100).copied().unwrap_or_default();
    Ok((at(50), at(99)))
}
