import CSystem
import Synchronization

/// Notes the moment at which each thread passes each mark. What a mark means is the caller's affair. One mark costs a
/// read of the CPU's time counter and sixteen bytes of memory that only its thread writes. The entries may be read
/// and forgotten whenever no thread passes any.
public enum MarkLog {
  public struct Entry: Sendable, Equatable {
    /// Of `SystemClock`, in nanoseconds.
    public let time: UInt64
    public let mark: UInt32

    public init(time: UInt64, mark: UInt32) { (self.time, self.mark) = (time, mark) }
  }

  public struct Track: Sendable, Equatable {
    /// Different for every thread that ever passed a mark, rising in the order in which they passed their first.
    public let thread: Int
    public let entries: [Entry]

    public init(thread: Int, entries: [Entry]) { (self.thread, self.entries) = (thread, entries) }
  }

  private static let threads = Mutex<[ThreadMarks]>([])

  /// Notes a mark of the calling thread.
  /// - Parameter waits: whether for all instructions before it to have done their work. Without, a short operation's
  ///   last loads may still be on their way, and count for the next one; it costs less, and holds nothing up.
  @inline(__always)
  public static func note(_ mark: UInt32, waits: Bool = false) {
    let room = csystem_room() ?? enlist()
    if waits { csystem_await_instructions() }
    room.assumingMemoryBound(to: MarkRoom.self).pointee.note(mark)
  }

  /// Readies the log for the calling thread, which has to be the first to note anything.
  public static func prepare() {
    if csystem_room() == nil { _ = enlist() }
    _ = drain()
  }

  /// All marks since the last call, forgotten thereby, of the threads that passed any; the calling thread's first.
  public static func drain() -> [Track] {
    let scale = TickScale.now()
    let own = csystem_room()
    return threads.withLock { threads in
      let tracks = threads.enumerated().compactMap { index, thread -> (isOwn: Bool, track: Track)? in
        let entries = thread.drain(scale)
        guard !entries.isEmpty else { return nil }
        return (UnsafeMutableRawPointer(thread.room) == own, Track(thread: index, entries: entries))
      }
      return tracks.filter(\.isOwn).map(\.track) + tracks.filter { !$0.isOwn }.map(\.track)
    }
  }

  /// The calling thread's room, which lives as long as the process: a thread that ends may leave marks.
  @inline(never)
  private static func enlist() -> UnsafeMutableRawPointer {
    let marks = ThreadMarks()
    threads.withLock { $0.append(marks) }
    csystem_set_room(marks.room)
    return UnsafeMutableRawPointer(marks.room)
  }
}

private struct Note {
  let ticks: UInt64
  let mark: UInt32
}

/// Where a thread writes its next note.
private struct MarkRoom {
  var next: UnsafeMutablePointer<Note>
  var end: UnsafeMutablePointer<Note>
  let owner: Unmanaged<ThreadMarks>

  @inline(__always)
  mutating func note(_ mark: UInt32) {
    if next == end { takePiece() }
    next.initialize(to: Note(ticks: csystem_ticks(), mark: mark))
    next += 1
  }

  @inline(never) private mutating func takePiece() { self = owner.takeUnretainedValue().nextPiece() }
}

/// The marks of one thread. Written by that thread, read by another while it writes nothing.
private final class ThreadMarks: @unchecked Sendable {
  /// Notes in one piece of memory, one MiB: memory is taken piece by piece, so that nothing is ever copied.
  private static let pieceLength = 1 << 16

  private var pieces: [UnsafeMutablePointer<Note>] = []
  /// Alone on its cache lines: another thread's notes take nothing out of this one's cache.
  let room = UnsafeMutableRawPointer.allocate(byteCount: 128, alignment: 128)
    .bindMemory(to: MarkRoom.self, capacity: 1)

  init() { room.initialize(to: nextPiece()) }

  func nextPiece() -> MarkRoom {
    pieces.append(.allocate(capacity: Self.pieceLength))
    return lastPiece
  }

  private var lastPiece: MarkRoom {
    let piece = pieces[pieces.count - 1]
    return MarkRoom(next: piece, end: piece + Self.pieceLength, owner: .passUnretained(self))
  }

  /// Keeps one piece for what comes.
  func drain(_ scale: TickScale) -> [MarkLog.Entry] {
    let used = pieces.count * Self.pieceLength - (room.pointee.end - room.pointee.next)
    var entries: [MarkLog.Entry] = []
    entries.reserveCapacity(used)
    // Where cores' counters differ, a thread that moves may seem to go back; it stands still then.
    var latest: UInt64 = 0
    for (index, piece) in pieces.enumerated() {
      for place in 0..<min(used - index * Self.pieceLength, Self.pieceLength) {
        latest = max(latest, scale.time(of: piece[place].ticks))
        entries.append(MarkLog.Entry(time: latest, mark: piece[place].mark))
      }
    }
    for piece in pieces.dropFirst() { piece.deallocate() }
    pieces.removeSubrange(1...)
    room.pointee = lastPiece
    return entries
  }
}

/// What noting a mark takes, in nanoseconds: time that lies between two marks and is neither's work.
public struct MarkCost: Sendable {
  /// Of a mark that waits for the instructions before it.
  public let waiting: Double
  /// Of one that does not.
  public let passing: Double

  public static let none = MarkCost(waiting: 0, passing: 0)

  public init(waiting: Double, passing: Double) { (self.waiting, self.passing) = (waiting, passing) }

  /// The middle between what a mark adds to work that leaves the processor room to do it beside, and what it takes
  /// where nothing else is to be done. From the shortest of many tries with marks and without, so that a thread that
  /// was held up does not count. The calling thread's marks are forgotten by it.
  public static func measured() -> MarkCost {
    MarkLog.prepare()
    let scale = TickScale.now()
    defer { _ = MarkLog.drain() }
    let values = [Float](repeating: 0.5, count: length)
    return values.withUnsafeBufferPointer { values in
      func added(to work: () -> Void, waits: Bool) -> Double {
        let bare = least(work) {}
        let marked = least(work) { MarkLog.note(0, waits: waits) }
        return max(Double(marked) - Double(bare), 0)
      }
      func cost(waits: Bool) -> Double {
        let beside = added(to: { blackHole(work(launder(values.baseAddress!))) }, waits: waits)
        let alone = added(to: {}, waits: waits)
        return (beside + alone) / 2 * scale.nanosecondsPerTick / Double(marks)
      }
      return MarkCost(waiting: cost(waits: true), passing: cost(waits: false))
    }
  }

  /// Floats of a piece of work, which takes a few hundred cycles.
  private static let length = 2048
  private static let marks = 32
  private static let tries = 200

  /// Ticks of as many pieces of work as marks, each with what notes one after it.
  private static func least(_ work: () -> Void, _ note: () -> Void) -> UInt64 {
    (0..<tries).reduce(UInt64.max) { least, _ in
      let start = csystem_ticks()
      for _ in 0..<marks {
        work()
        note()
      }
      csystem_await_instructions()
      return min(least, csystem_ticks() &- start)
    }
  }

  /// The sum of squares, in independent sums that keep the processor's units busy.
  private static func work(_ values: UnsafePointer<Float>) -> Float {
    var sums = (SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero, SIMD8<Float>.zero)
    for first in stride(from: 0, to: length, by: 32) {
      func piece(_ offset: Int) -> SIMD8<Float> {
        UnsafeRawPointer(values + first + offset).loadUnaligned(as: SIMD8<Float>.self)
      }
      sums.0.addProduct(piece(0), piece(0))
      sums.1.addProduct(piece(8), piece(8))
      sums.2.addProduct(piece(16), piece(16))
      sums.3.addProduct(piece(24), piece(24))
    }
    return (sums.0 + sums.1 + sums.2 + sums.3).sum()
  }
}
