let namespaces = Topic("namespaces") { _ in }
