let extensions = Topic("extensions") { _ in }
