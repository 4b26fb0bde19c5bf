import Synchronization

/// A number that several threads change, alone on its cache lines: who changes it takes nothing else out of the other
/// cores' caches.
struct LoneAtomic<Value: AtomicRepresentable>: ~Copyable {
  /// Two lines of 64 bytes, which x86-64 fetches in pairs, or one of Apple's arm64.
  private static var span: Int { 128 }

  private let memory: UnsafeMutableRawPointer
  let number: UnsafeMutablePointer<Atomic<Value>>

  init(_ value: consuming Value) {
    memory = .allocate(byteCount: Self.span, alignment: Self.span)
    number = memory.bindMemory(to: Atomic<Value>.self, capacity: 1)
    number.initialize(to: Atomic(value))
  }

  deinit {
    number.deinitialize(count: 1)
    memory.deallocate()
  }
}
