// Verifies chains with crypto/x509, as programs in Go do: a JSON list of cases on standard input, a JSON list of errors ("" for none)
// on standard output. Used by test/unit/pki/verifiers.test.ts; it must not be lenient where a Go program is not.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"log"
	"os"
	"time"
)

type verification struct {
	// PEM, leaf first.
	Chain string
	Roots string
	// The only URI the leaf may hold.
	URI     string
	DNSName string
	At      time.Time
}

func main() {
	var cases []verification
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		log.Fatal(err)
	}
	answers := make([]string, 0, len(cases))
	for _, one := range cases {
		answer := ""
		if err := one.verify(); err != nil {
			answer = err.Error()
		}
		answers = append(answers, answer)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		log.Fatal(err)
	}
}

func (v verification) verify() error {
	chain, err := parse(v.Chain)
	if err != nil {
		return err
	}
	leaf := chain[0]
	roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(v.Roots)) {
		return fmt.Errorf("no root could be read")
	}
	for _, certificate := range chain[1:] {
		intermediates.AddCert(certificate)
	}
	// KeyUsages is a list of alternatives, so each is asked for alone.
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		options := x509.VerifyOptions{
			DNSName:       v.DNSName,
			Roots:         roots,
			Intermediates: intermediates,
			CurrentTime:   v.At,
			KeyUsages:     []x509.ExtKeyUsage{usage},
		}
		if _, err := leaf.Verify(options); err != nil {
			return err
		}
	}
	if len(leaf.URIs) != 1 || leaf.URIs[0].String() != v.URI {
		return fmt.Errorf("the URIs are %v", leaf.URIs)
	}
	return nil
}

func parse(text string) ([]*x509.Certificate, error) {
	var chain []*x509.Certificate
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, err
		}
		chain = append(chain, certificate)
	}
	if len(chain) == 0 {
		return nil, fmt.Errorf("no certificate could be read")
	}
	return chain, nil
}
