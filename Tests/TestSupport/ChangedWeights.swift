import Foundation

public struct NoSuchTensor: Error {}

/// Changes one value of a tensor, float32, in a `.safetensors` file.
/// - Parameters:
///   - tensor: the end of its name.
///   - element: row-major.
public func changeWeight(
  in path: String, tensor: String, element: Int = 0, _ change: (Float) -> Float
) throws {
  let url = URL(fileURLWithPath: path)
  var data = try Data(contentsOf: url)
  let length = data.prefix(8).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
  let header = try JSONSerialization.jsonObject(with: data[8..<8 + length]) as? [String: [String: Any]]
  guard let entry = header?.first(where: { $0.key.hasSuffix(tensor) }),
    let begin = (entry.value["data_offsets"] as? [Int])?.first
  else { throw NoSuchTensor() }
  let start = 8 + length + begin + 4 * element
  let value = data[start..<start + 4].withUnsafeBytes { $0.loadUnaligned(as: Float.self) }
  withUnsafeBytes(of: change(value)) { data.replaceSubrange(start..<start + 4, with: $0) }
  try data.write(to: url)
}

/// The trained tiny model, of which one weight is no number: from the sixth position on nothing that it computes is.
/// - Parameter folder: a new one.
/// - Returns: the weights' file.
@discardableResult
public func makeModelThatBreaksAtPositionFive(_ folder: String) throws -> String {
  let source = URL(fileURLWithPath: Project.file("weights/tiny")).resolvingSymlinksInPath()
  try FileManager.default.copyItem(at: source, to: URL(fileURLWithPath: folder))
  let path = "\(folder)/model.safetensors"
  try changeWeight(in: path, tensor: "wpe.weight", element: 5 * 128) { _ in .nan }
  return path
}
