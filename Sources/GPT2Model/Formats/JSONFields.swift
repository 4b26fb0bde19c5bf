import Foundation

/// Typed access to the fields of a JSON object; a field that is null is as one that is not there.
struct JSONFields: FileReader {
  let path: String
  let fields: [String: Any]
  /// What stands before a field's name in an error.
  var prefix = ""

  init(path: String, fields: [String: Any], prefix: String = "") {
    (self.path, self.fields, self.prefix) = (path, fields, prefix)
  }

  /// - Throws: `ModelError`, also for a file that holds no JSON object.
  init(path: String) throws(ModelError) {
    let data = try ModelFile.read(path)
    guard let fields = try? JSONSerialization.jsonObject(with: data) as? [String: Any] else {
      throw .malformed(path: path, problem: "not a JSON object")
    }
    self.init(path: path, fields: fields)
  }

  /// Of a file that need not be there.
  init?(pathIfThere path: String) throws(ModelError) {
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    try self.init(path: path)
  }

  /// - Parameter read: nil for a value of another type.
  private func optional<Value>(
    _ name: String, expected: String, _ read: (Any) -> Value?
  ) throws(ModelError) -> Value? {
    guard let value = fields[name], !(value is NSNull) else { return nil }
    guard let typed = read(value) else { throw refusal(of: name, found: "\(value)", expected: expected) }
    return typed
  }

  func has(_ name: String) -> Bool { fields[name].map { !($0 is NSNull) } ?? false }

  func optionalInteger(_ name: String) throws(ModelError) -> Int? {
    try optional(name, expected: "a whole number") { Self.integer($0) }
  }

  func integer(_ name: String) throws(ModelError) -> Int {
    try required(optionalInteger(name), prefix + name, "a whole number")
  }

  /// A whole number, or a list of them.
  func integers(_ name: String) throws(ModelError) -> [Int]? {
    try optional(name, expected: "a whole number or a list of them") { value in
      if let number = Self.integer(value) { return [number] }
      guard let list = value as? [Any] else { return nil }
      let numbers = list.compactMap { Self.integer($0) }
      return numbers.count == list.count ? numbers : nil
    }
  }

  func number(_ name: String) throws(ModelError) -> Double? {
    try optional(name, expected: "a number") { Self.isBoolean($0) ? nil : $0 as? Double }
  }

  func boolean(_ name: String) throws(ModelError) -> Bool? {
    try optional(name, expected: "true or false") { Self.isBoolean($0) ? $0 as? Bool : nil }
  }

  func string(_ name: String) throws(ModelError) -> String? {
    try optional(name, expected: "a string") { $0 as? String }
  }

  func object(_ name: String) throws(ModelError) -> JSONFields? {
    try optional(name, expected: "an object") { value in
      (value as? [String: Any]).map { JSONFields(path: path, fields: $0, prefix: prefix + name + ".") }
    }
  }

  /// The elements of a list, each as the only field of an object, under its place.
  func list(_ name: String) throws(ModelError) -> [JSONFields]? {
    try optional(name, expected: "a list") { value in
      (value as? [Any])?.enumerated().map { index, element in
        JSONFields(path: path, fields: ["[\(index)]": element], prefix: prefix + name)
      }
    }
  }

  /// The name of the only field.
  var onlyName: String { fields.keys.first ?? "" }

  func refusal(of name: String, found: String, expected: String) -> ModelError {
    refusal(prefix + name, found: found, expected: expected)
  }

  /// Refuses a field that says anything else; one that is not there says what is expected.
  func expect(_ name: String, is expected: Bool) throws(ModelError) {
    let value = try boolean(name) ?? expected
    try expect(value == expected, prefix + name, found: "\(value)", expected: "\(expected)")
  }

  /// Refuses a string that is none of those that are known.
  func expect(_ name: String, in known: [String], expected: String) throws(ModelError) {
    guard let found = try string(name) else { return }
    try expect(known.contains(found), prefix + name, found: found, expected: expected)
  }

  private static func integer(_ value: Any) -> Int? { isBoolean(value) ? nil : value as? Int }

  private static func isBoolean(_ value: Any) -> Bool {
    guard let number = value as? NSNumber else { return value is Bool }
    return String(cString: number.objCType) == "c"
  }
}
