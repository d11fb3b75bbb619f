/// `swoci state`

import Runtime
import Spec

func state(_ context: Context) throws(Failure) {
    try print(context.store().state(context.containerID()).json(pretty: true) + "\n")
}
