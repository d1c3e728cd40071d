package main

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// soon is longer than any poll of the client at the intervals set here.
const soon = 30 * time.Second

// Checks runs the checks of a scenario one after the other and prints what came of each.
type Checks struct {
	failed bool
}

// check runs one; a panic is its failure.
func (checks *Checks) check(name string, body func()) {
	defer func() {
		if problem := recover(); problem != nil {
			checks.failed = true
			fmt.Printf("FAIL %s: %s\n", name, strings.ReplaceAll(fmt.Sprint(problem), "\n", " "))
			return
		}
		fmt.Println("ok " + name)
	}()
	body()
}

func (checks *Checks) notApplicable(name, why string) {
	fmt.Printf("n/a %s: %s\n", name, why)
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func equal(expected, actual any) {
	if !reflect.DeepEqual(expected, actual) {
		panic(fmt.Sprintf("expected %s, got %s", cut(expected), cut(actual)))
	}
}

// eventually waits until a value is as expected; the last one seen is in the failure.
func eventually(within time.Duration, expected any, value func() any) {
	deadline := time.Now().Add(within)
	for {
		seen := value()
		if reflect.DeepEqual(expected, seen) {
			return
		}
		if time.Now().After(deadline) {
			panic(fmt.Sprintf("expected %s within %s, got %s", cut(expected), within, cut(seen)))
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func cut(value any) string {
	text := fmt.Sprintf("%#v", value)
	if len(text) > 300 {
		return fmt.Sprintf("%s... (%d characters)", text[:300], len(text))
	}
	return text
}
