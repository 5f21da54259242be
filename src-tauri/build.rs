//! Tells Tauri where this house keeps its permissions.
//!
//! The app's manifest stands at the root of the workspace (see Cargo.toml), and Tauri would look
//! for `capabilities/` and `permissions/` beside it. They live in src-tauri/ instead.

use tauri_build::{AppManifest, Attributes};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // With own patterns Tauri leaves it to us to name what a rebuild depends on.
    println!("cargo:rerun-if-changed=src-tauri/capabilities");
    println!("cargo:rerun-if-changed=src-tauri/permissions");

    let manifest = AppManifest::new().permissions_path_pattern("./src-tauri/permissions/**/*");
    let attributes = Attributes::new()
        .capabilities_path_pattern("./src-tauri/capabilities/**/*")
        .app_manifest(manifest);
    Ok(tauri_build::try_build(attributes)?)
}
