// SPDX-License-Identifier: Apache-2.0
//
// What is precompiled for the test programs belongs to a target, and a target to a source.
