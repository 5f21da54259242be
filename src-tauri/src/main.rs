//! `peddlenet`: the app on a computer. Reads its options and opens the window.

// A release build on Windows opens no console beside the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use peddlenet_app::Options;

fn main() -> ExitCode {
    // Whoever opens links hands over any bytes; `args` would panic at some of them.
    let args = std::env::args_os().skip(1);
    let args = args.map(|arg| arg.to_string_lossy().into_owned());
    match Options::parse(args, std::env::var_os("PEDDLENET_DATA")) {
        Ok(Options::Help) => {
            println!("{}", peddlenet_app::USAGE);
            ExitCode::SUCCESS
        }
        Ok(Options::Version) => {
            println!("peddlenet {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Options::Open(profile, link)) => {
            peddlenet_app::prepare();
            peddlenet_app::run(profile, link)
        }
        Err(problem) => {
            eprintln!("peddlenet: {problem}\n\n{}", peddlenet_app::USAGE);
            ExitCode::from(2)
        }
    }
}
