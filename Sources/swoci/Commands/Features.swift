/// `swoci features`

import Runtime
import Spec

func features(_ context: Context) throws(Failure) {
    // WAIT_KILLABLE_RECV is for listeners, which this build does not make.
    let flags = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_TSYNC"]
    try print(featuresJSON(libseccompVersion: libseccompVersion(), supportedSeccompFlags: flags) + "\n")
}
