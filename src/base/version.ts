// The version of the operator and of the plugin, which are released together. A test holds it against package.json, which neither image nor bundle
// carries along.

export const OWN_VERSION = '0.1.0'
