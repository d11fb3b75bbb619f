/// The version, in the lines that engines show.

import CBuild
import Runtime
import Spec

/// This build's version.
let version = "0.1.0"

/// The commit it was built from, where the build was told.
var commit: String { String(cString: swoci_commit()) }

/// What `--version` prints (CLI-15).
func versionText() -> String {
    """
    swoci version \(version)
    commit: \(commit)
    spec: \(SpecVersion.maximum)
    libseccomp: \(libseccompVersion())

    """
}
