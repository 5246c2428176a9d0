// Checks what aosctl left in a directory with Go's golang.org/x/mod: signed notes with sumdb/note, proofs with sumdb/tlog. Every
// file must hold, and must be refused with any one byte changed.
//
//	verify DIR: log.vkey, witness.vkey, notes/*, cosigned/*, receipts/*, consistency/*
package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var errRefused = errors.New("not of the format")

// A witness's key: C2SP tlog-cosignature, which this version of x/mod does not know. It brings the equation and nothing else: that
// the line is there, parses and belongs to this key is for note.Open.
type witness struct {
	name string
	hash uint32
	key  ed25519.PublicKey
}

func (w witness) Name() string    { return w.name }
func (w witness) KeyHash() uint32 { return w.hash }
func (w witness) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	time := binary.BigEndian.Uint64(sig)
	text := fmt.Sprintf("cosignature/v1\ntime %d\n%s", time, msg)
	return time < 1<<63 && ed25519.Verify(w.key, []byte(text), sig[8:])
}

func newWitness(vkey string) (note.Verifier, error) {
	parts := strings.SplitN(strings.TrimSpace(vkey), "+", 3)
	if len(parts) != 3 {
		return nil, errRefused
	}
	key, err := base64.StdEncoding.Strict().DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, errRefused
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if hex.EncodeToString(sum[:4]) != parts[1] {
		return nil, errRefused
	}
	return witness{parts[0], binary.BigEndian.Uint32(sum[:]), key[1:]}, nil
}

// Opens a checkpoint: every one of the verifiers signed it, and its three lines are a tree.
func open(msg []byte, verifiers ...note.Verifier) (tlog.Tree, error) {
	n, err := note.Open(msg, note.VerifierList(verifiers...))
	if err != nil {
		return tlog.Tree{}, err
	}
	if len(n.Sigs) != len(verifiers) || len(n.UnverifiedSigs) != 0 {
		return tlog.Tree{}, errors.New("a signature is missing")
	}
	// ParseTree knows the tree of the Go checksum database alone: the same three lines with another name.
	origin := verifiers[0].Name() + "\n"
	if !strings.HasPrefix(n.Text, origin) || strings.Count(n.Text, "\n") != 3 {
		return tlog.Tree{}, errRefused
	}
	return tlog.ParseTree([]byte("go.sum database tree\n" + n.Text[len(origin):]))
}

func hashes(lines []string) ([]tlog.Hash, error) {
	var all []tlog.Hash
	for _, line := range lines {
		b, err := base64.StdEncoding.Strict().DecodeString(line)
		if err != nil || len(b) != tlog.HashSize {
			return nil, errRefused
		}
		all = append(all, *(*tlog.Hash)(b))
	}
	return all, nil
}

func number(line, name string) (int64, error) {
	text := strings.TrimPrefix(line, name)
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || text == line || strconv.FormatInt(n, 10) != text {
		return 0, errRefused
	}
	return n, nil
}

// c2sp.org/tlog-proof@v1
func receipt(msg []byte, verifiers ...note.Verifier) error {
	head, checkpoint, ok := strings.Cut(string(msg), "\n\n")
	lines := strings.Split(head, "\n")
	if !ok || len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") {
		return errRefused
	}
	entry, err := base64.StdEncoding.Strict().DecodeString(lines[1][len("extra "):])
	if err != nil {
		return err
	}
	index, err := number(lines[2], "index ")
	if err != nil {
		return err
	}
	proof, err := hashes(lines[3:])
	if err != nil {
		return err
	}
	tree, err := open([]byte(checkpoint), verifiers...)
	if err != nil {
		return err
	}
	// The entry names its place.
	var envelope struct{ Payload []byte }
	var header struct{ Seq int64 }
	if json.Unmarshal(entry, &envelope) != nil || json.Unmarshal(envelope.Payload, &header) != nil || header.Seq != index {
		return errRefused
	}
	return tlog.CheckRecord(tlog.RecordProof(proof), tree.N, tree.Hash, index, tlog.RecordHash(entry))
}

// aosctl/consistency-proof@v1
func consistency(msg []byte, verifiers ...note.Verifier) error {
	parts := strings.Split(string(msg), "\n\n")
	if len(parts) != 5 {
		return errRefused
	}
	lines := strings.Split(parts[0], "\n")
	if len(lines) < 3 || lines[0] != "aosctl/consistency-proof@v1" {
		return errRefused
	}
	older, err := number(lines[1], "old ")
	if err != nil {
		return err
	}
	newer, err := number(lines[2], "new ")
	if err != nil {
		return err
	}
	proof, err := hashes(lines[3:])
	if err != nil {
		return err
	}
	a, err := open([]byte(parts[1]+"\n\n"+parts[2]+"\n"), verifiers...)
	if err != nil {
		return err
	}
	b, err := open([]byte(parts[3]+"\n\n"+parts[4]), verifiers...)
	if err != nil {
		return err
	}
	if a.N != older || b.N != newer {
		return errRefused
	}
	return tlog.CheckTree(tlog.TreeProof(proof), b.N, b.Hash, a.N, a.Hash)
}

func main() {
	dir := os.Args[1]
	read := func(name string) []byte {
		b, err := os.ReadFile(name)
		if err != nil {
			fail(name, err)
		}
		return b
	}
	log, err := note.NewVerifier(strings.TrimSpace(string(read(filepath.Join(dir, "log.vkey")))))
	if err != nil {
		fail("log.vkey", err)
	}
	w, err := newWitness(string(read(filepath.Join(dir, "witness.vkey"))))
	if err != nil {
		fail("witness.vkey", err)
	}
	checkpoint := func(msg []byte, v ...note.Verifier) error { _, err := open(msg, v...); return err }
	for _, kind := range []struct {
		name  string
		check func([]byte, ...note.Verifier) error
		by    []note.Verifier
	}{
		{"notes", checkpoint, []note.Verifier{log}},
		{"cosigned", checkpoint, []note.Verifier{log, w}},
		{"receipts", receipt, []note.Verifier{log}},
		{"consistency", consistency, []note.Verifier{log}},
	} {
		files, _ := filepath.Glob(filepath.Join(dir, kind.name, "*"))
		if len(files) == 0 {
			fail(kind.name, errors.New("there is none"))
		}
		changed := 0
		for _, name := range files {
			good := read(name)
			if err := kind.check(good, kind.by...); err != nil {
				fail(name, err)
			}
			for at := range good {
				bad := append([]byte(nil), good...)
				if bad[at] ^= 1; at+1 < len(bad) && bad[at+1] == '=' {
					// note.Open does not look at the bits behind the last byte of a signature (aosctl does): change one that counts.
					bad[at] = good[at] ^ 0x10
				}
				if kind.check(bad, kind.by...) == nil {
					fail(name, fmt.Errorf("holds with byte %d changed", at))
				}
				changed++
			}
		}
		fmt.Printf("thirdparty: Go x/mod: %d %s hold, %d changed ones are refused\n", len(files), kind.name, changed)
	}
}

func fail(what string, err error) {
	fmt.Fprintf(os.Stderr, "thirdparty: Go x/mod: %s: %v\n", what, err)
	os.Exit(1)
}
