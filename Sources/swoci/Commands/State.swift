/// `swoci state`

import Runtime
import Spec

func state(_ context: Context) throws(Failure) {
    var writer = JSONWriter(pretty: true)
    try context.store().state(context.containerID()).write(to: &writer)
    try print(writer.string + "\n")
}
