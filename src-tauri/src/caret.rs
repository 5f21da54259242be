//! The caret in a text field stands still, on Linux.
//!
//! WebKitGTK never stops its blinking, as GTK's own fields do after ten seconds. Every blink wakes three
//! processes and paints the window anew: on a machine without a GPU 3-7 % of a core for a window that
//! nobody touches, as long as a field has the focus, and ours nearly always has it (`bench app`).
//! With `gtk-cursor-blink` off WebKitGTK 2.50 looks at the caret sixty times a second, which costs more still.
//! A blink that takes weeks costs nothing.

use gtk::prelude::GtkSettingsExt as _;

/// Milliseconds from one blink to the next: 23 days.
const BLINK_MS: i32 = 2_000_000_000;

/// Call it on the thread that paints, before there is a window.
pub(crate) fn stand_still() {
    if let Some(settings) = gtk::Settings::default() {
        settings.set_gtk_cursor_blink(true);
        settings.set_gtk_cursor_blink_time(BLINK_MS);
    }
}
