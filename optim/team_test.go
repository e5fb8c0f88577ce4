package optim

import (
	"os"
	"testing"

	"sluice/nn"
)

// team is that of the tests.
var team = nn.NewTeam(2)

func TestMain(m *testing.M) {
	code := m.Run()
	team.Close()
	os.Exit(code)
}
