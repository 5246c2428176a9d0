// Writes tests/vectors/rfc6962/go-tlog.json: trees and proofs of RFC 6962, with the verdict of Go's golang.org/x/mod/sumdb/tlog on
// each, the negative ones among them. The first eight leaves are those of the reference implementation of Certificate Transparency.
package main

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"

	"golang.org/x/mod/sumdb/tlog"
)

type hashes []tlog.Hash

func (h hashes) MarshalJSON() ([]byte, error) {
	out := make([]string, len(h))
	for i := range h {
		out[i] = hex.EncodeToString(h[i][:])
	}
	return json.Marshal(out)
}

type inclusion struct {
	What  string `json:"what"`
	Index int64  `json:"index"`
	Size  int64  `json:"size"`
	Leaf  hashes `json:"leaf"`
	Root  hashes `json:"root"`
	Proof hashes `json:"proof"`
	Holds bool   `json:"holds"`
}

type consistency struct {
	What   string `json:"what"`
	First  int64  `json:"first"`
	Second int64  `json:"second"`
	Roots  hashes `json:"roots"`
	Proof  hashes `json:"proof"`
	Holds  bool   `json:"holds"`
}

// A change to a proof.
type change struct {
	what string
	of   func(hashes) hashes
}

func flip(h tlog.Hash, bit uint) tlog.Hash { h[bit/8] ^= 1 << (bit % 8); return h }

func with(p hashes, at int, h tlog.Hash) hashes {
	q := append(hashes(nil), p...)
	q[at] = h
	return q
}

func changes(p hashes, roots ...tlog.Hash) []change {
	all := []change{
		{"a zero hash behind it", func(p hashes) hashes { return append(append(hashes(nil), p...), tlog.Hash{}) }},
		{"a zero hash before it", func(p hashes) hashes { return append(hashes{{}}, p...) }},
	}
	for _, r := range roots {
		r := r
		all = append(all,
			change{"a root behind it", func(p hashes) hashes { return append(append(hashes(nil), p...), r) }},
			change{"a root before it", func(p hashes) hashes { return append(hashes{r}, p...) }})
	}
	for i := range p {
		i := i
		all = append(all, change{fmt.Sprintf("hash %d changed", i), func(p hashes) hashes { return with(p, i, flip(p[i], uint(7*i+4))) }})
	}
	if len(p) > 0 {
		all = append(all,
			change{"nothing of it", func(hashes) hashes { return nil }},
			change{"without its first hash", func(p hashes) hashes { return p[1:] }},
			change{"without its last hash", func(p hashes) hashes { return p[:len(p)-1] }},
			change{"its last hash twice", func(p hashes) hashes { return append(append(hashes(nil), p...), p[len(p)-1]) }})
	}
	if len(p) > 1 {
		all = append(all, change{"its first two hashes in another order", func(p hashes) hashes { return with(with(p, 0, p[1]), 1, p[0]) }})
	}
	return all
}

func main() {
	var leaves [][]byte
	for _, text := range []string{"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"} {
		b, err := hex.DecodeString(text)
		check(err)
		leaves = append(leaves, b)
	}
	for i := len(leaves); i < 13; i++ {
		leaves = append(leaves, []byte(fmt.Sprintf("leaf %d", i)))
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var out []tlog.Hash
		for _, i := range indexes {
			out = append(out, stored[i])
		}
		return out, nil
	})
	roots := []tlog.Hash{{}}
	var all struct {
		Source      string        `json:"source"`
		Leaves      []string      `json:"leaves"`
		Roots       hashes        `json:"roots"`
		Inclusion   []inclusion   `json:"inclusion"`
		Consistency []consistency `json:"consistency"`
	}
	for i, leaf := range leaves {
		h, err := tlog.StoredHashes(int64(i), leaf, reader)
		check(err)
		stored = append(stored, h...)
		root, err := tlog.TreeHash(int64(i+1), reader)
		check(err)
		roots = append(roots, root)
		all.Leaves = append(all.Leaves, hex.EncodeToString(leaf))
	}
	all.Source = "golang.org/x/mod/sumdb/tlog (Debian golang-golang-x-mod-dev 0.7.0), by tests/oracles/thirdparty/go/vectors.go; " +
		"leaves 0 to 7 as in the Certificate Transparency reference implementation. roots[n] is that of n+1 leaves."
	all.Roots = roots[1:]

	include := func(what string, index, size int64, leaf, root tlog.Hash, p hashes) {
		ok := tlog.CheckRecord(tlog.RecordProof(p), size, root, index, leaf) == nil
		all.Inclusion = append(all.Inclusion, inclusion{what, index, size, hashes{leaf}, hashes{root}, p, ok})
	}
	continues := func(what string, first, second int64, a, b tlog.Hash, p hashes) {
		ok := tlog.CheckTree(tlog.TreeProof(p), second, b, first, a) == nil
		all.Consistency = append(all.Consistency, consistency{what, first, second, hashes{a, b}, p, ok})
	}
	for _, size := range []int64{1, 2, 3, 5, 7, 8, 13} {
		done := map[int64]bool{}
		for _, index := range []int64{0, 1, size / 2, size - 2, size - 1} {
			if index < 0 || index >= size || done[index] {
				continue
			}
			done[index] = true
			leaf, root := tlog.RecordHash(leaves[index]), roots[size]
			proof, err := tlog.ProveRecord(size, index, reader)
			check(err)
			p := hashes(proof)
			include("as it is", index, size, leaf, root, p)
			include("another index: one more", index+1, size, leaf, root, p)
			include("another index: two's bit", index^2, size, leaf, root, p)
			include("another size: twice", index, size*2, leaf, root, p)
			include("another size: half", index, size/2, leaf, root, p)
			include("no size", index, 0, leaf, root, p)
			include("another leaf", index, size, flip(leaf, 3), root, p)
			include("another root", index, size, leaf, flip(root, 200), p)
			include("the root as the leaf", index, size, root, root, p)
			for _, c := range changes(p, root) {
				include(c.what, index, size, leaf, root, c.of(p))
			}
		}
		for _, first := range []int64{1, 2, size / 2, size - 1, size} {
			if first < 1 || first > size || done[first+1000] {
				continue
			}
			done[first+1000] = true
			a, b := roots[first], roots[size]
			proof, err := tlog.ProveTree(size, first, reader)
			check(err)
			p := hashes(proof)
			continues("as it is", first, size, a, b, p)
			continues("the other way", size, first, b, a, p)
			continues("the roots exchanged", first, size, b, a, p)
			continues("another first size: one less", first-1, size, a, b, p)
			continues("another first size: one more", first+1, size, a, b, p)
			continues("another second size: twice", first, size*2, a, b, p)
			continues("another second size: half", first, size/2, a, b, p)
			continues("another first root", first, size, flip(a, 9), b, p)
			continues("another second root", first, size, a, flip(b, 99), p)
			for _, c := range changes(p, a, b) {
				continues(c.what, first, size, a, b, c.of(p))
			}
		}
	}
	write(all.Source, all.Leaves, all.Roots, all.Inclusion, all.Consistency)
}

// One case a line.
func write(source string, leaves []string, roots hashes, in []inclusion, co []consistency) {
	one := func(v interface{}) string {
		b, err := json.Marshal(v)
		check(err)
		return string(b)
	}
	fmt.Printf("{\n\"source\":%s,\n\"leaves\":%s,\n\"roots\":%s,\n\"inclusion\":[\n", one(source), one(leaves), one(roots))
	for i, c := range in {
		fmt.Print(one(c), end(i, len(in)))
	}
	fmt.Print("],\n\"consistency\":[\n")
	for i, c := range co {
		fmt.Print(one(c), end(i, len(co)))
	}
	fmt.Print("]\n}\n")
}

func end(i, n int) string {
	if i+1 < n {
		return ",\n"
	}
	return "\n"
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "vectors:", err)
		os.Exit(1)
	}
}
