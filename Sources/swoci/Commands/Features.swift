/// `swoci features`

import Runtime
import Spec

func features(_ context: Context) throws(Failure) {
    try print(featuresJSON(libseccompVersion: libseccompVersion(), seccompArchitectures: filterableArchitectures()) + "\n")
}
