import CSystem

// A pure kernel whose arguments do not change from call to call is computed once and hoisted out of the timing loop,
// and one whose result nobody reads is left out. Inside the loop, launder what goes in and sink what comes out:
//
//     for _ in 0..<iterations { sink(product(launder(x), launder(w))) }
//
// Each is an empty `asm volatile` with a memory clobber: no instruction, but the compiler takes it for a use of
// memory.

/// The same pointer, of which the compiler no longer knows what it points to.
@inlinable @inline(__always)
public func launder<T>(_ pointer: UnsafePointer<T>) -> UnsafePointer<T> {
  unsafeBitCast(csystem_launder(pointer), to: UnsafePointer<T>.self)
}

/// The same number, no longer one that the compiler knows.
@inlinable @inline(__always)
public func launder(_ value: Int) -> Int { Int(csystem_launder_integer(Int64(value))) }

/// Counts everything stored where it points so far as used.
@inlinable @inline(__always)
public func sink<T>(_ pointer: UnsafePointer<T>) { csystem_sink(pointer) }

/// Counts a value as used, so that it must be computed.
@inlinable @inline(__always)
public func blackHole<T>(_ value: T) { withUnsafePointer(to: value) { csystem_sink($0) } }
