/// How one thread walks through the bytes it reads. Which walk is the fastest differs from machine to machine: a
/// core follows a few streams at once better than one, and some do better still where software asks ahead of
/// the hardware's own prefetchers.
public struct ReadPattern: Sendable, Hashable {
  /// Equal parts that are read side by side: 1, 2, 4 or 8, since a page is divided into them.
  public let streams: Int
  /// How far ahead of each load its line is asked for; 0 leaves that to the hardware.
  public let prefetchBytes: Int

  /// Those that are tried. The best of them is the ceiling of any reader.
  static let candidates = [
    ReadPattern(streams: 1, prefetchBytes: 0), ReadPattern(streams: 2, prefetchBytes: 2048),
    ReadPattern(streams: 4, prefetchBytes: 0), ReadPattern(streams: 4, prefetchBytes: 1024),
    ReadPattern(streams: 8, prefetchBytes: 512),
  ]
}
