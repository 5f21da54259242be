//! `peddlenet`: the app on a computer. Reads its options and opens the window.

// A release build on Windows opens no console beside the window.
#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use peddlenet_app::Options;

fn main() -> ExitCode {
    match Options::parse(std::env::args().skip(1), std::env::var_os("PEDDLENET_DATA")) {
        Ok(Options::Help) => {
            println!("{}", peddlenet_app::USAGE);
            ExitCode::SUCCESS
        }
        Ok(Options::Version) => {
            println!("peddlenet {}", env!("CARGO_PKG_VERSION"));
            ExitCode::SUCCESS
        }
        Ok(Options::Open(profile)) => peddlenet_app::run(profile),
        Err(problem) => {
            eprintln!("peddlenet: {problem}\n\n{}", peddlenet_app::USAGE);
            ExitCode::from(2)
        }
    }
}
