import CSystem

/// Calls `body` with `count` floats of the memory that the calling thread works in, from a cache line on. They hold what
/// earlier calls left there; a call within `body` gets others. The memory grows to the most that is lent at a time and
/// stays the thread's, so that an operation takes none from the system once one of its size has run. A few vectors, which
/// always fit on the stack, are better taken with `withUnsafeTemporaryAllocation`.
@inline(__always)
func withThreadMemory<Result>(_ count: Int, _ body: (UnsafeMutablePointer<Float>) -> Result) -> Result {
  let bytes = MemoryLayout<Float>.stride &* FloatBuffer.room(for: max(count, 1))
  let memory = csystem_thread_memory()!
  let used = memory.pointee.used
  let needed = used == 0 ? max(bytes, memory.pointee.wanted) : used &+ bytes
  let fits = needed <= memory.pointee.capacity || growThreadMemory(to: needed)
  let other = fits ? nil : UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
  memory.pointee.used = used &+ bytes
  defer {
    memory.pointee.used = used
    other?.deallocate()
  }
  let place = other ?? UnsafeMutableRawPointer(memory.pointee.base + used)
  return body(place.assumingMemoryBound(to: Float.self))
}

/// - Returns: whether there is room for so many bytes now. What is lent cannot move, so a call within another is told no;
///   the next that is not within one makes room for both.
@inline(never)
private func growThreadMemory(to bytes: Int) -> Bool {
  let memory = csystem_thread_memory()!
  memory.pointee.wanted = max(memory.pointee.wanted, bytes)
  guard memory.pointee.used == 0 else { return false }
  csystem_grow_thread_memory()
  return bytes <= memory.pointee.capacity
}
