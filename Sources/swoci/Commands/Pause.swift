/// `swoci pause` and `swoci resume`

import Runtime

func pause(_ context: Context) throws(Failure) { try context.store().pause(context.containerID()) }

func resume(_ context: Context) throws(Failure) { try context.store().resume(context.containerID()) }
