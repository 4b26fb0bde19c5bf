import GPT2Kernels

/// Goes through a rotation's memory over and over, as passes go through their weights: what it gives was read a whole
/// round ago.
final class WeightWalk {
  /// Floats of a round, the most that it gives at once.
  let count: Int

  private let rotation: WeightRotation
  private var place = 0
  /// Calls of `apart`.
  private var turn = 0

  /// The memory's part that is kept apart.
  private static let apart = 8
  /// A prime: slots are taken in an order in which neighbours are far apart.
  private static let hop = 7919

  init(_ rotation: WeightRotation) {
    self.rotation = rotation
    let grain = WeightRotation.grain
    count = (rotation.count - rotation.count / Self.apart) / grain * grain
  }

  /// The next `count` floats; nil for more than a round.
  func next(_ count: Int) -> UnsafePointer<Float>? {
    guard count <= self.count else { return nil }
    if place + count > self.count { place = 0 }
    defer { place += WeightRotation.wholePages(count) }
    return rotation.base + place
  }

  /// `count` floats of a part of the memory that `next` leaves alone: a few beside many, which no cache still holds when
  /// their turn comes again, and which lie behind nothing that was read shortly before. Nil for more than the part has.
  func apart(_ count: Int) -> UnsafePointer<Float>? {
    let slot = WeightRotation.wholePages(count)
    let slots = (rotation.count - self.count) / slot
    guard slots > 0 else { return nil }
    turn += 1
    return rotation.base + self.count + turn * Self.hop % slots * slot
  }
}
