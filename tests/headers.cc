// SPDX-License-Identifier: Apache-2.0
//
// Precompiled headers of the test programs need a target, and a target needs a source: this one.
