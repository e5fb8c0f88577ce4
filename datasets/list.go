package datasets

var all = []Dataset{
	{
		Name:    "airline",
		About:   "airline passengers (thousands a month, 1949 to 1960) and sunspots (a month, 1749 to 1983)",
		Licence: "facts, without a licence file",
		Files: at("https://raw.githubusercontent.com/jbrownlee/Datasets/d20fcb6402ae34e653d4513b00f39257bb37ed7f/",
			File{Name: "airline-passengers.csv", Bytes: 2180, SHA256: "8cb51be753a718d9be5d76d7e238cc224792754676adc21faa59e954b0201621"},
			File{Name: "monthly-sunspots.csv", Bytes: 45039, SHA256: "c4ec8cc57d9f6fb6ecdb3e1f37f25b6f4badd5124c55931052b0cd2fc3bc71f3"},
		),
	},
	{
		Name:    "etth1",
		About:   "ETTh1: load and oil temperature of a transformer station, by the hour for two years",
		Licence: "CC BY-ND 4.0",
		Files: at("https://raw.githubusercontent.com/zhouhaoyi/ETDataset/1d16c8f4f943005d613b5bc962e9eeb06058cf07/ETT-small/",
			File{Name: "ETTh1.csv", Bytes: 2589657, SHA256: "f18de3ad269cef59bb07b5438d79bb3042d3be49bdeecf01c1cd6d29695ee066"},
		),
	},
	{
		Name:    "ewt",
		About:   "English Web Treebank: words with their parts of speech (Universal Dependencies)",
		Licence: "CC BY-SA 4.0",
		Files: at("https://raw.githubusercontent.com/UniversalDependencies/UD_English-EWT/15d613d8447b3478787d4c278730a1e48a945efb/",
			File{Name: "en_ewt-ud-train.conllu", Bytes: 14203025, SHA256: "3fb78e2b55482c8ee00caa653af436c88c9e5bc9a73ce26e4ae3ddc79d2b7e7b", Part: "train"},
			File{Name: "en_ewt-ud-dev.conllu", Bytes: 1805545, SHA256: "531a54ff90d6ab12201c5a50c3e78e6ddac4de69abc4bce5d275d3cd29efe2b6", Part: "dev"},
			File{Name: "en_ewt-ud-test.conllu", Bytes: 1804515, SHA256: "e266e515a0a7547657ed3d90d9ba46487d6bd251f27ad4269d4e8a427c8555cd", Part: "test"},
		),
	},
	{
		Name:    "fashion-mnist",
		About:   "Fashion-MNIST: 70,000 images of clothes, 28 by 28 in grey, of 10 kinds",
		Licence: "MIT",
		Files: at("https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/",
			File{Name: "train-images-idx3-ubyte.gz", Bytes: 26421880, SHA256: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84", Part: "train"},
			File{Name: "train-labels-idx1-ubyte.gz", Bytes: 29515, SHA256: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845", Part: "train"},
			File{Name: "t10k-images-idx3-ubyte.gz", Bytes: 4422102, SHA256: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073", Part: "test"},
			File{Name: "t10k-labels-idx1-ubyte.gz", Bytes: 5148, SHA256: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5", Part: "test"},
		),
	},
	{
		Name:    "makemore",
		About:   "32,033 first names from the United States",
		Licence: "MIT; the names are public data",
		Files: at("https://raw.githubusercontent.com/karpathy/makemore/988aa59e4d8fefa526d06f3b453ad116258398d4/",
			File{Name: "names.txt", Bytes: 228145, SHA256: "0a30b5557f192f32ab962680889aac5f6fda0f4cecf40a6d0b5694f58ea8cc4d"},
		),
	},
	{
		Name:    "names",
		About:   "family names of 18 languages, a file for each",
		Licence: "MIT",
		Files: at("https://raw.githubusercontent.com/spro/practical-pytorch/c520c52e68e945d88fff563dba1c028b6ec0197b/data/names/",
			File{Name: "Arabic.txt", Bytes: 13190, SHA256: "6f424a8dbe51cbbbabab7a57d38b617210125e4e3991f3c657cb79b8f104bafc"},
			File{Name: "Chinese.txt", Bytes: 1246, SHA256: "09ba8f1f7e38dbc99372d461b26ad4433b811fc6bfa6a3ecca6fe11a9a777465"},
			File{Name: "Czech.txt", Bytes: 3916, SHA256: "e17ab0ec47616a72c39cb85c783f70c3663ab64488721e5d8378f146d2226be7"},
			File{Name: "Dutch.txt", Bytes: 2351, SHA256: "924f32b635170eae561f84538632138fc07d4c8bbd70ba3fb980de1ecc4d2af3"},
			File{Name: "English.txt", Bytes: 27125, SHA256: "9cca037066d3d5989e24bc01801416162de506b5e28e15b7c092a47905d29bf2"},
			File{Name: "French.txt", Bytes: 2178, SHA256: "81e65b36c60ed5b89a17422f6edcadbb89546f38ad69e960e64e7ba682012a95"},
			File{Name: "German.txt", Bytes: 5610, SHA256: "7449cd590b97a733e18d613a4155decd77ec35dc5f8aadd7a82204dce4f051db"},
			File{Name: "Greek.txt", Bytes: 1981, SHA256: "3555b5186de7f401e6d991b088e9e644ca3099116477818c25ab5793801389e6"},
			File{Name: "Irish.txt", Bytes: 1858, SHA256: "cf8c7013256252a88d2503127b87282a11f21b2ff6db1bded68834c19a1ec058"},
			File{Name: "Italian.txt", Bytes: 5657, SHA256: "f88414c27d0606a11a678b4859277828c2565d6cc4d9ee932deef6e94f3b35e4"},
			File{Name: "Japanese.txt", Bytes: 7622, SHA256: "e0e717e114fec3e7eade4d9dabe0067c475f43147e36a22b47902ee76ad9e67f"},
			File{Name: "Korean.txt", Bytes: 423, SHA256: "cd54221ccb362a6cba4c78828838cf3268a0e59744767a37cf6ec4b74036b136"},
			File{Name: "Polish.txt", Bytes: 1165, SHA256: "45bab898af2f60ed3a728bbf6980e28821011a7caa53227553b5785903a40826"},
			File{Name: "Portuguese.txt", Bytes: 554, SHA256: "50a8735f41f4f73757c8ce5b16cb0275cd86b2b214bcbc8c9805f508cb131c53"},
			File{Name: "Russian.txt", Bytes: 85168, SHA256: "0cfe53ac18041e8f63666aa77313e0a3ff378facb132abee052d8ebdc8c3d62c"},
			File{Name: "Scottish.txt", Bytes: 752, SHA256: "78d0252711d87d948ea86fe34826c51d2d794a8e52d15b5d6f7b6244d45d62dd"},
			File{Name: "Spanish.txt", Bytes: 2284, SHA256: "1bcb462ed3316756a85781d68232bddae04498fdddd5d9219c53fd1fbdeba7a7"},
			File{Name: "Vietnamese.txt", Bytes: 339, SHA256: "f3f9e4164ab47601178a6e45b216464a64122f49d05541f24bf18a757253281d"},
		),
	},
	{
		Name:    "tang",
		About:   "18,566 Tang poems of five characters a line, one poem a line",
		Licence: "MIT; the poems are in the public domain",
		Files: at("",
			File{Name: "tang_wuyan_all.txt", Bytes: 2405495, SHA256: "148d07a655fe483bd8edb69b9945ca262981c739110dc116d771cef19c9f3a17"},
		),
	},
	{
		Name:    "timemachine",
		About:   "The Time Machine by H. G. Wells, 1895",
		Licence: "public domain",
		Files: at("https://raw.githubusercontent.com/d2l-ai/d2l-zh/592fbef84a684e752393edbf267c07dbc53e082b/data/",
			File{Name: "timemachine.txt", Bytes: 178979, SHA256: "8424dbd9532ac81f7e5f0b6add90e6952baea29158309d7d1bf3884f4e12c516"},
		),
	},
	{
		Name:    "tinyshakespeare",
		About:   "lines from plays of Shakespeare",
		Licence: "public domain",
		Files: at("https://raw.githubusercontent.com/karpathy/char-rnn/6f9487a6fe5b420b7ca9afb0d7c078e37c1d1b4e/data/tinyshakespeare/",
			File{Name: "input.txt", Bytes: 1115394, SHA256: "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"},
		),
	},
	{
		Name:    "wnut17",
		About:   "WNUT 2017: tweets and posts with names that are new, tagged",
		Licence: "CC BY 4.0",
		Files: at("https://raw.githubusercontent.com/leondz/emerging_entities_17/e52a2d2a71ac1a051ca2d532eef28653c5c02603/",
			File{Name: "wnut17train.conll", Bytes: 493781, SHA256: "731820e13f71af324c6b55a1575ec2ce59fbaa2a0806f8f0400b98d56cd6a7a5", Part: "train"},
			File{Name: "emerging.dev.conll", Bytes: 114749, SHA256: "e053b752b8155113ca66e7db08af5f2f5f43ab993694e4774f1ec5bad42312d8", Part: "dev"},
			File{Name: "emerging.test.annotated", Part: "test", Bytes: 192425, SHA256: "2aa79b764e56ec9264a1b30fdd9b70195bd00ff400b62edd8f399d5f13c178f0"},
		),
	},
}

// at sets the addresses of files that are published in one folder, "" for none.
func at(folder string, files ...File) []File {
	if folder != "" {
		for i := range files {
			files[i].URL = folder + files[i].Name
		}
	}
	return files
}
