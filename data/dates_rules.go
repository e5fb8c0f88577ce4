package data

// datesRules are the grammar of the sentences: alternatives of a name, between
// bars. What stands between {D, {A or {P and } is a date, an amount or a place.
// An alternative that is there twice is twice as likely.
//
// What makes a span is meant to be decided by the words of the sentence alone.
// Prepositions are not part of it, articles are. Times of day, how long a thing
// lasts, ages, counts of people and of times are none.
var datesRules = map[string]string{
	"sentence": `<clause> .|<clause> <when> .|<clause> <when> .|<clause> <when> .|<clause> <duration> .|<clause> <when> , but <clause> .
		|<clause> <when> , but <clause> .|<clause> , and <clause> .|<clause> , and <clause> <when> .|<clause> , and <clause> <when> .
		|<opening> , <clause> .|<opening> , <clause> .|<opening> , <clause> , so <clause> .|<clause> because <clause> .
		|" <clause> , " said <person> .|<person> said that <clause> .|did <person> say that <clause> ?
		|<subordinate> , <clause> .|<clause> <subordinate> .|<special>|<special>|<special>`,

	// Sentences and clauses.
	"clause": `<who> <got> <quantity>|<who> <got> <quantity>|<who> <got> {A <count> }|<who> <got> {A <count> }
		|<who> <got> {A <count> } and <quantity>|<who> <got> {A <count> } from <name> <surname>
		|<who> paid {A <money> } for <thing>|<thing> cost {A <money> }|<thing> is worth {A <money> } or more|<who> owed <person> {A <money> }
		|<who> swapped {A <count> } for {A <count> }|{A <count> } came from {P <place> }|<quantity> lay in the cart
		|<who> <went> to {P <place> }|<who> <went> {A <distance> } to {P <place> }|<who> <went> from {P <place> } to {P <place> }|<who> lived at {P <address> }
		|<who> met <person> in {P <place> }|<who> kept a shop at {P <address> }|<who> took <ride> to {P <place> }|<ride> came late
		|<who> waited <numbered>|<who> found <thing> <numbered>|<who> read <passage> to <person>|<passage> is about {P <place> }
		|<who> sent <paper> to <person>|<paper> was lost|<who> mended <model>|<model> broke|<who> may sell <thing>|<person> may be in {P <place> }
		|<who> told <person> about <thing>|<thing> belongs to <person>|<who> began work in {D <year> }|<thing> was built in {D <year> }
		|<who> <got> <ranked>|<ranked> fell over|<who> turned <20-99>|<who> counted to <20-999>|<number> people came|<who> rang the bell <number> times
		|<who> had <number> brothers|<name> was in her <decade>|he was in his <decade>|<who> spilt half of the <mass>|<who> and <number> others had to wait
		|<who> fed Friday <meal>|our dog <weekday> slept <numbered>|the <weekday> <event> was full|<who> drank from the spring behind <thing>
		|<who> moved next door|<who> <got> the last <one>|the next <one> was broken|<who> won <1-9> - <1-9>`,
	"special": `may I have <quantity> ?|may <person> come to {P <place> } <when> ?|march to <numbered-place> and wait there .
		|{D <month> } was <season-adjective> .|<month-name> was <mood> .|{D <month> } , the <season-adjective> month , brought <weather> .
		|<month-name> , the <trade> , brought <quantity> .|{D <month> } brought <weather> to {P <place> } .
		|a letter from <month-name> to <month-name> lay <numbered> .|the <season-adjective> weeks from {D <month> } to {D <month> } were hard for <person> .
		|<who> read the <ordinal-word> of <month-name> 's letters .|<who> read the letter of {D the <ordinal-word> of <month> } .
		|the <ordinal> of {P <town> } 's <count-of> was sold for {A <money> } .|the rent is due on {D the <ordinal> } .
		|the <one-of-four> quarter of the match was <mood> .|the <one-of-four> quarter of {D <year> } was <mood> .
		|the old quarter of {P <town> } is <season-adjective> .|<who> sat in <month-name> 's kitchen <when> .
		|the March hare ate <quantity> .|<who> still kept some of the {D <year> } <vintage> .|<who> still kept a <maker> <1900-2030> <machine> .
		|the <2-99> bus goes from {P <place> } to {P <place> } .|sold : {A <count> } , <quantity> , {A <money> } .
		|meet me at {P <address> } on {D <day> } .|due {D <day> } : {A <money> } .|<numbered-place> , {D <numeric> } : {A <count> } .
		|<paper> of {D <day> } : {A <money> } .|open from {D <weekday> } to {D <weekday> } , closed in {D <month> } .`,
	"opening": `in {D <period> }|in {D <period> }|on {D <day> }|on {D <day> }|{D <relative> }|{D <relative> }|{D <day> }|after {D <day> }|from {D <month> } to {D <month> }
		|in {P <place> }|at {P <address> }|on the <ordinal> floor|at the age of <20-99>|at last|<numbered>|half an hour later|a second later
		|a quarter of an hour later|<few> <lengths> later|for <few> <lengths>|after <few> <lengths> of <weather>|in <month-name> 's kitchen|on <month-name> 's farm|according to <passage>|with <person>|next door
		|in a second|in {D <few> <lengths> }|at half past <hour>|at a quarter to <hour>|on the <ordinal> of the <count-of>`,
	"when": `on {D <day> }|on {D <day> }|on {D <day> }|{D <relative> }|{D <relative> }|in {D <period> }|in {D <period> }|since {D <point> }|until {D <point> }|before {D <point> }
		|after {D <point> }|by {D <point> }|in {D <few> <lengths> }|from {D <month> } to {D <month> }|between {D <weekday> } and {D <weekday> }|in {D the week of <day> }|as early as {D <period> }`,
	"duration": `for <few> <lengths>|after <few> <lengths> of <weather>|for half an hour|at half past <hour>|at a quarter past <hour>|at <hour> o'clock
		|every <number> <lengths>|for a second|for the <ordinal-word> time|<number> times a <length>|at the age of <20-99>|in a second`,
	"subordinate": `since <person> left|until <person> came|before <month-name> did|after <person> had left|when <person> turned <20-99>|while <month-name> slept`,

	// Dates.
	"day": `<1-28> <month>|<1-28> <month>|<1-28> <month> <year>|<1-28> <month> <year>|<month> <1-28>|<month> <1-28> , <year>|<month> <1-28><th>|the <ordinal> of <month>|the <ordinal> of <month>
		|the <ordinal> of <month> <year>|the <ordinal>|<weekday>|<weekday>|<weekday> <1-28> <month>|<weekday> , <1-28> <month>|<weekday> the <ordinal>|<numeric>|<numeric>
		|the last day of <month>|the <one-of-four> <weekday> of <month>|the <weekday> after next`,
	"numeric":  `<01-28>/<01-12>/<year>|<1-28>/<1-12>/<year>|<01-28>/<01-12>/<10-30>|<year>-<01-12>-<01-28>|<1-28>.<1-12>.<year>`,
	"relative": `yesterday|tomorrow|last <weekday>|next <weekday>|this <weekday>|last <length>|next <length>|this <length>|<few> <lengths> ago|<few> <lengths> ago|the <length> before last|last <month>|last <season>|this <season>|<weekday> week`,
	"period":   `<month>|<month>|<month> <year>|<month> <year>|<year>|<year>|the <season> of <year>|<season>|the <one-of-four> quarter of <year>|the year <year>|the 19<5-9>0s|late <month>|early <season>|the <decade>`,
	"point":    `<month>|<month> <year>|<year>|<year>|<day>|the <season> of <year>|last <length>|the <decade>`,
	"year":     `19<50-99>|20<00-29>`,
	"month":    `January|February|March|March|April|April|May|May|May|June|July|August|August|September|October|November|December`,
	"weekday":  `Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday`,
	"season":   `spring|spring|summer|autumn|winter`,
	"decade":   `sixties|seventies|eighties|nineties`,
	"length":   `day|week|week|month|year`, "lengths": `days|weeks|weeks|months|years`,
	"few":  `two|three|four|five|six|ten|2|3|8|12|several`,
	"hour": `one|two|three|four|five|six|seven|eight|nine|ten`, "th": `th`,
	"ordinal":      `<ordinal-word>|<4-20>th|1st|2nd|3rd|21st|22nd|23rd`,
	"one-of-four":  `first|second|second|third|fourth`,
	"ordinal-word": `first|second|second|third|fourth|fifth|sixth|ninth|tenth`,

	// Amounts.
	"quantity":  `{A <weight> } of <dry>|{A <weight> } of <dry>|{A <volume> } of <wet>|{A <length-of> } of <cloth>`,
	"weight":    `<some> <weights>|<some> <weights>|half a <weight-unit>|a quarter of a <weight-unit>|a <weight-unit>|<1-90><glued-weight>`,
	"volume":    `<some> <volumes>|<some> <volumes>|half a <volume-unit>|a quarter of a <volume-unit>|a <volume-unit>|<1-90><glued-volume>`,
	"length-of": `<some> <metres>|<some> <metres>|half a <metre>|a <metre>|<1-90><glued-metre>`,
	"some":      `<2-60>|<2-60>|<2-900>|<1-20>.<1-9>|<1-40>,<100-999>|<number>|<number> and a half`,
	"weights":   `kg|kg|g|pounds|kilos|tonnes|sacks|barrels|stone|bushels|cartloads`, "weight-unit": `pound|kilo|tonne|ton|sack|barrel|bushel|cartload`, "glued-weight": `kg|g`,
	"volumes": `litres|litres|ml|pints|gallons|cups|bottles|barrels|jugs`, "volume-unit": `litre|pint|gallon|cup|bottle|barrel|jug`, "glued-volume": `l|ml`,
	"metres": `metres|yards|feet|m`, "metre": `metre|yard|foot`, "glued-metre": `m|cm`,
	"count":    `<2-60> <countable>|<2-60> <countable>|<2-2030> <countable>|<1900-2030> <countable>|<1-40>,<100-999> <countable>|<number> <countable>|<number> <countable>|a dozen <countable>|half a dozen <countable>|<number> dozen <countable>|<number> dozen`,
	"money":    `£<1-99>|£<1-99>.<10-99>|£<1-40>,<100-999>|€<2-900>|€<1-99>.<10-99>|<2-900> euros|<1-9>,<100-999> euros|<2-99> pence|<number> pounds|<2-99> pounds|half a crown|<number> shillings|a quarter of a million euros`,
	"distance": `<2-60> miles|<2-60> km|<number> miles|half a mile|a quarter of a mile|<number> and a half miles|<1-20>.<1-9> km`,
	"number":   `two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|fifteen|twenty|thirty|forty|fifty`,
	"mass":     `<dry>|<dry>|<wet>`,
	"dry":      `flour|barley|oats|wheat|rye|butter|salt|sugar|tea|coffee|cocoa|rice|malt|hay|straw|wool|sand|gravel|lime|clay|coal|peat|wax|soap|seed|bran|yeast|cheese|pepper|ginger|slate|lead|copper|tin`,
	"wet":      `milk|milk|cream|honey|cider|cider|vinegar|tar|oil|paraffin|paint|glue|ink|beer|wine|water`, "cloth": `rope|wire|linen|canvas|ribbon|chain|twine|velvet`,
	"countable": `eggs|<adjective> eggs|hens|<adjective> hens|ducks|geese|sheep|goats|pigs|cows|<adjective> ponies|bricks|tiles|nails|screws|hinges|<adjective> planks|poles|ladders|buckets|<adjective> pots|pans|jars
		|cups|plates|<adjective> spoons|knives|candles|lamps|<adjective> lanterns|books|pencils|stamps|envelopes|<adjective> chairs|stools|tables|<adjective> blankets|sheets|pillows|coats|<adjective> hats|gloves|boots
		|apples|<adjective> pears|plums|onions|leeks|<adjective> cabbages|turnips|loaves|rolls|<adjective> buns|pies|herrings|trout|oysters|<adjective> ropes|sails|oars|anchors|wheels|<adjective> baskets`,
	"adjective": `brown|white|old|new|small|large|heavy|cheap|wooden|broken|blue|red|speckled|second-hand`,

	// Places.
	"place":       `<town>|<town>|<town>|<street>|<prefix> <town>|<town> <suffix>`,
	"town":        `<begin><end>|<begin><end>|<begin><end>|Saltmarsh|Ellery|Corran|Dunmere|Kettle Bay|Port Ansel|Tarn Head`,
	"prefix":      `Great|Little|Upper|Lower|North|South|Port|Old`,
	"suffix":      `St Mary|Green|Bridge|Magna|on the Hill|Quay|Cross`,
	"begin":       `Ash|Thorn|Wil|Har|Brad|Stan|Mel|Hart|Elm|Oak|Kings|Bishops|Mar|Wey|Lang|Cold|Fen|Rush|Hazel|Brox|Mid|East|West|Swin|Nor|Ald|Bur|Cal|Dray|Ever`,
	"end":         `ford|by|ton|wick|combe|mere|ley|ham|worth|stead|field|hurst|bourne|den|thorpe|gate|well|bury`,
	"street":      `<street-name> <street-kind>`,
	"address":     `<1-200> <street>|<1-28> <month> <street-kind>|<1-200> <street>|<number> <street>`,
	"street-name": `Mill|Market|Station|Church|Chapel|Tanner|Cooper|Quarry|Orchard|Harbour|Castle|Bridge|Second|Third|May|March|August|Saturday|Quarter|Pound|Rope|Spring|Dozen`,
	"street-kind": `Street|Road|Lane|Row|Hill|Square|Walk`,

	// People and things.
	"who":        `<person>|<person>|<person>|she|he|they|we|I|the <trade>|the <trade>|my <kin>|a <trade> from {P <town> }`,
	"person":     `<name>|<name>|<month-name>|<name> <surname>|<month-name> <surname>|Mr <surname>|Mrs <surname>|Dr <surname>|Mr <month-surname>|the <trade>|her <kin>`,
	"month-name": `May|May|April|June|August`, "month-surname": `May|March|August|Friday|Winter`,
	"surname": `<begin><end>|<begin><end>|Tanner|Cooper|Fletcher|Pike|Dale|Marsh|Crane|Hobbs|Lowe|Nash|Pratt|Quill|Rudd|Speke|Tull`,
	"name": `Ada|Agnes|Albert|Alma|Amos|Anna|Arthur|Bella|Bernard|Beryl|Clara|Conrad|Cora|Daisy|Dora|Edgar|Edith|Edwin|Elsie|Emil|Ernest|Esther|Ethel|Fanny|Felix|Flora|Frank
		|George|Greta|Gwen|Harold|Hazel|Helen|Henry|Hilda|Hugo|Ida|Irene|Ivy|Jack|Jonas|Kate|Laura|Leo|Lily|Lydia|Mabel|Martha|Martin|Max|Nell|Nora|Olive|Oscar|Otto|Owen
		|Paul|Pearl|Peter|Ralph|Rose|Rufus|Ruth|Silas|Stella|Thomas|Tilda|Vera|Victor|Violet|Walter|Wanda|Wilfred|Winnie`,
	"trade":          `baker|miller|farmer|smith|carter|weaver|potter|teacher|doctor|porter|guard|driver|clerk|grocer|butcher|brewer|cooper|tailor|sailor|fisherman|pilot|printer|painter|carpenter|mason|gardener|shepherd|keeper|nurse|cook`,
	"kin":            `aunt|uncle|sister|brother|mother|father|cousin|niece|nephew|neighbour|daughter|son`,
	"her":            `her|his|my|our`,
	"got":            `bought|sold|brought|ordered|lost|found|stole|borrowed|carried|weighed|delivered|needed|kept|hid|wanted|unpacked|counted|gave away`,
	"went":           `walked|went|rode|drove|sailed|ran|cycled|came|moved`,
	"thing":          `the <adjective> <object>|the <object>|the <object>|<her> <object>|this <object>|the <trade> 's <object>`,
	"object":         `mill|barn|boat|cart|clock|stove|lamp|piano|sewing machine|bicycle|cottage|garden gate|pump|saddle|plough|map|painting|violin|kettle|carpet|mirror|wardrobe|ladder|anvil|loom|bench|table|chimney|well|greenhouse`,
	"one":            `sack|loaf|bus|boat|egg|chair|candle|bottle|lamp|letter|brick`,
	"ride":           `bus <2-99>|the <2-99> bus|train <100-2030>|the <ordinal> boat|tram <2-30>`,
	"numbered":       `in <numbered-place>|in <numbered-place>|at <numbered-stop>|on the <ordinal> floor|on the <ordinal> of the <count-of>|in front of <numbered-place>`,
	"numbered-place": `room <1-400>|room <1900-2030>|flat <1-60>|hall <1-9>|barn <1-12>|ward <1-30>|box <1-2030>`,
	"numbered-stop":  `platform <1-20>|gate <1-40>|stop <1-99>|desk <1-30>|mile <1-60>|lock <1-28>`,
	"count-of":       `shelves|benches|doors|mills|steps|boats|bridges|barrels`,
	"ranked":         `the <ordinal> <one>|the <ordinal> of the <count-of>|the <ordinal-word> of {P <town> } 's <count-of>`,
	"passage":        `page <1-900>|chapter <1-40>|verse <1-28>|line <2-900> of the <paper-kind>|page <1900-2030>|the <ordinal> chapter`,
	"paper":          `<paper-kind> <100-9999>|<paper-kind> <1900-2030>|<paper-kind> <01-28>/<01-12>/<10-30>|<paper-kind> <01-28>/<01-12>/<year>|<paper-kind> <year>-<01-12>-<01-28>|the <paper-kind>|version <1-28>.<1-12>.<1-30> of the <paper-kind>`,
	"paper-kind":     `ticket|file|invoice|order|parcel|form|receipt`,
	"model":          `the <maker> <100-9000>|the <maker> <1900-2030> <machine>|pump <letter><10-990>|the <letter><1-99>|the <letter><1-99>-<10-99>|a spring of the <machine>`,
	"maker":          `Karro|Velt|Simmer|Ostrava|Brill|Tornad|Helvik|Pendle`, "machine": `pump|loom|tractor|mower|radio|stove|press|saw`, "letter": `A|B|D|K|M|R|T|X`,
	"event":            `market|paper|train|service|club|ferry|class`,
	"meal":             `at <hour>|twice a day|with <mass>|late`,
	"weather":          `rain|snow|frost|fog|storms|sunshine|hail|drought|mud|cold winds`,
	"season-adjective": `wet|mild|cold|dry|windy|coldest|warm|grey|frosty|wettest`,
	"mood":             `ill|angry|tired|quiet|dull|noisy|glad|slow|hopeless|lively`,
	"vintage":          `cider|honey|wine|barley|harvest|cheese|jam`,
}
