//! How WebKitGTK paints: with the GPU where there is one, and without OpenGL where there is none.
//!
//! Without a GPU WebKitGTK 2.50 composes the window by OpenGL all the same, which Mesa then works out on the
//! CPU, for every frame and the whole window: a frame of a long room that scrolls took 124 ms of two cores, and takes
//! 16 without; 50 MB of Mesa's go, too. (`WEBKIT_SKIA_ENABLE_CPU_RENDERING` halves the frame only.) Its switch for that is a variable of
//! the environment. No thread may run when one is set, so the program starts itself anew with it: the same process, some 60
//! milliseconds later. (`WEBKIT_DISABLE_DMABUF_RENDERER` stops the
//! page for good at the first picture of a camera, the scanner's preview; with it or with `WEBKIT_DMABUF_RENDERER_FORCE_SHM` the start is as
//! long as without, by medians of three interleaved runs.)
//!
//! While it does, it also asks glibc for one heap: some twenty threads, most of which sleep, would have one each, and hold
//! 6 MB more in them. It takes a start anew, so machines with a GPU, which have the memory, keep theirs.

use std::path::Path;

/// Read by WebKitGTK at its start. Whoever set it, to whatever, has chosen.
const SWITCH: &str = "WEBKIT_DISABLE_COMPOSITING_MODE";

/// What goes with it, unless it is set already.
const BESIDE: (&str, &str) = ("MALLOC_ARENA_MAX", "1");

/// Call it first of all. Comes back where nothing has to change.
pub(crate) fn settle() {
    use std::os::unix::process::CommandExt as _;

    if std::env::var_os(SWITCH).is_some() || has_gpu(Path::new("/dev")) {
        return;
    }
    let Ok(program) = std::env::current_exe() else {
        return; // slow, but it runs
    };
    let beside = Some(BESIDE).filter(|(name, _)| std::env::var_os(name).is_none());
    let problem = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env(SWITCH, "1")
        .envs(beside)
        .exec();
    eprintln!("PeddleNet paints slowly on this machine: {problem}");
}

/// Whether something may paint that isn't the CPU. The driver of NVIDIA may stand outside of `dri`.
fn has_gpu(dev: &Path) -> bool {
    let renders = |entry: std::io::Result<std::fs::DirEntry>| {
        entry.is_ok_and(|entry| entry.file_name().to_string_lossy().starts_with("renderD"))
    };
    let dri = std::fs::read_dir(dev.join("dri"));
    dri.is_ok_and(|mut entries| entries.any(renders)) || dev.join("nvidiactl").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_without_anything_that_renders_is_no_gpu() {
        let dev = tempfile::tempdir().unwrap();
        assert!(!has_gpu(dev.path()));
        let dri = dev.path().join("dri");
        std::fs::create_dir(&dri).unwrap();
        std::fs::write(dri.join("card0"), "").unwrap();
        assert!(!has_gpu(dev.path()));
        std::fs::write(dri.join("renderD128"), "").unwrap();
        assert!(has_gpu(dev.path()));
    }

    #[test]
    fn the_driver_of_nvidia_is_found_where_it_stands() {
        let dev = tempfile::tempdir().unwrap();
        std::fs::write(dev.path().join("nvidiactl"), "").unwrap();
        assert!(has_gpu(dev.path()));
    }
}
