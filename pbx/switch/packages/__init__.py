"""Event packages, one a file: each has `PACKAGE`, a `pbx.switch.event_package.EventPackage`."""
