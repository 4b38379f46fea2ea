package op
import ("testing";"os";"bytes";"fmt";"time";"slices")
func run(t *testing.T, data []byte) (out []byte, n int, hidden int) {
 var d Decoder
 ids := map[string][]ID{}
 ops := map[string][]*Operation{}
 for l := range bytes.SplitSeq(data, []byte("\n")) {
  for _, p := range Split(l) {
   r, err := d.Read(p); if err!=nil { t.Fatal(err) }
   o, ok := ImportOperation(r.Legacy, ids[r.Legacy.Issue]); if !ok { continue }
   line, err := Encode(o); if err!=nil {t.Fatal(err)}
   r2, err := Read(line); if err!=nil {t.Fatal(err)}
   if r2.Op.If!=nil {t.Fatal()}
   ids[r.Legacy.Issue]=append(ids[r.Legacy.Issue], o.ID)
   ops[o.Issue]=append(ops[o.Issue], r2.Op); n++
  }
 }
 var keys []string
 for k := range ops { keys=append(keys,k)}
 slices.Sort(keys)
 for _,k := range keys { s, ps := Fold(k, ops[k]); for _,p:=range ps {fmt.Println(p)}
  if !s.Visible() {hidden++; continue}
  out = append(s.Issue.AppendJSON(out), '\n') }
 return
}
func TestZZ(t *testing.T){
 data,_ := os.ReadFile("/work/shared/data/beads-real-2750.jsonl")
 t0:=time.Now()
 out,n,h := run(t,data)
 fmt.Println(n,h,len(out), time.Since(t0))
 os.WriteFile("/tmp/export1.jsonl", out, 0o600)
 out2,n2,h2 := run(t,out)
 fmt.Println(n2,h2, bytes.Equal(out,out2))
}
