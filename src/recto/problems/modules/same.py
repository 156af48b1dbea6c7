"""Modules whose distribution has the same name, apart from `_` for `-` and capitals; checked like `DIFFERENT`."""

from __future__ import annotations

_NAMES = """
    accelerate adjustText aesara afinn aif360 aiohttp alibi altair altair_saver anndata annoy anthropic anyio
    apache_beam apyori arabic_reshaper arch arviz ase astropy astroquery attrs autofeat autograd awkward awswrangler
    bambi bert_score bertopic bibtexparser bitsandbytes black blackjax blinker bokeh boto3 botocore bottleneck bqplot
    branca cachetools camel_tools cartopy casadi catboost category_encoders causalml cdsapi celery census certifi cffi
    cfgrib chardet charset_normalizer chromadb click clickhouse_connect clickhouse_driver cloudinary cloudpickle
    cmdstanpy cmocean cobra colorama colorcet configargparse ConfigSpace confluent_kafka conllu contextily control
    convertdate cooler corner couchdb cron_descriptor cryptography ctgan curl_cffi cvxopt cvxpy cx_Oracle cycler Cython
    dagster dash dask dask_ml dask_sql dataclasses_json datasets datasette datashader datefinder dbfread deap decorator
    deepdiff deltalake dendropy dgl dice_ml diffusers dill distributed django do_mpc docplex docutils docx2txt docxtpl
    doubleml dtreeviz duckdb ebooklib econml editdistance einops elasticsearch elasticsearch_dsl emcee empiricaldist
    eofs ephem esda ete3 evaluate fabric fairlearn faker fastapi fastparquet feature_engine featuretools feedparser
    filelock filterpy fiona flair flaml flask flask_bcrypt flask_caching flask_cors flask_login flask_mail
    flask_migrate flask_restful flask_socketio flask_sqlalchemy flask_wtf flax folium fontTools formulaic fsspec
    fugashi fuzzywuzzy galpy geemap gensim geoalchemy2 geodatasets geographiclib geopandas geoplot geopy gffutils
    ggplot giddy githubkit gmsh goatools google_auth_oauthlib googletrans gradio graphviz great_expectations
    great_tables gseapy gspread gstools gurobipy gwpy gym h2o h3 h5py happybase haversine hdbscan hdfs healpy hmmlearn
    holidays holoviews html5lib HTSeq httpx huggingface_hub humanfriendly hvplot ibm_db igraph imageio img2pdf iminuit
    imodels inequality inflect influxdb_client infomap interpret ipykernel ipyleaflet ipympl ipysheet IPython
    ipyvuetify ipywebrtc ipywidgets itables jax jaxlib jieba jinja2 joblib jsonschema jupyter jupyter_cache
    jupyter_server jupytext kagglehub kaleido keplergl keras keybert kiwisolver kmodes kneed konlpy kubernetes
    langchain langchain_community langdetect ldap3 lets_plot Levenshtein lexicalrichness libpysal librosa lifelines
    lifetimes lightgbm lightning lime linearmodels llvmlite lmfit loguru luigi lxml lxml_html_clean mapclassify marimo
    markdown markdown2 markupsafe matplotlib matplotlib_inline MDAnalysis mdit_py_plugins mdtraj mesa meshio meteostat
    metpy mgrs minisom mip missingno mistune mizani mlflow mlx_lm mlxtend mne modin momepy more_itertools moviepy
    mpi4py mpl_scatter_density mplfinance mpmath msgpack msrest music21 myst_parser narwhals nbclient nbconvert
    nbformat nbsphinx nbstripout neo4j netCDF4 networkit networkx neuralforecast nglview nibabel nilearn nltk notebook
    notion_client nptyping numba numdifftools numexpr numpy numpyro obspy onnx onnxruntime open3d openai openmdao
    openmm openpyxl optuna oracledb orjson ortools osm2geojson osmnx OSMPythonTools overpy packaging palettable
    palmerpenguins pandas pandas_datareader pandas_profiling pandasql pandera panel papermill paramiko patsy pdf2image
    pdfplumber peewee peft pennylane pexpect pgvector phonenumbers photutils pinecone pingouin pint planetary_computer
    plotly plotnine pmdarima pointpats polars polyline pooch portalocker prefect prettytable prophet psutil psychopy
    psycopg psycopg_binary psycopg_pool ptyprocess pubchempy pulp pvlib py4j pyarabic pyarrow pyathena pybedtools
    pyBigWig pycaret pyclustering pycocotools pycountry pycountry_convert pydantic pydantic_settings pydeck pydicom
    pydot pydub pyfaidx pyfftw pyfixest pygad pygame pygments pyhive pyinputplus pykalman pykrige pylatex pylatexenc
    pyLDAvis pymatgen pymc pymc3 pymer4 pymilvus pymongo pymoo pymorphy2 pymorphy3 pymssql pymupdf pymysql pynput pyod
    pyodbc pyogrio pyomo pyparsing pypdf PyPDF2 PyPDF4 pyperclip pyphen pypinyin pyproj PyQt5 PyQt6 pyreadr pyreadstat
    pyresample pysal pysam pysentimiento PySimpleGUI pysindy pyspark pystac_client pytabkit pytensor pyteomics
    pytesseract pytest pytextrank pythreejs pytorch_forecasting pytorch_lightning pytrends pyttsx3 pytz pyvis pyvista
    pywaffle qdrant_client qgrid qiskit qiskit_aer qrcode quantecon quart qutip rake_nltk rapidfuzz
    rapidocr_onnxruntime rasterio rasterstats rdflib rdkit redis regex reportlab reproject requests resampy rich
    rio_cogeo rioxarray river rpy2 rtree ruptures s3fs sacrebleu SALib sas7bdat saspy satpy scanpy scikit_posthocs
    scipy scrapy scvelo sdv seaborn seedir segregation selenium semantic_kernel semantic_version semopy
    sentence_transformers sentencepiece sentry_sdk seqeval shap shapely shiny SimpleITK simpy skforecast
    sklearn_crfsuite sklearn_pandas skmatter skops skorch skpy skrub sktime skyfield slack_sdk slycot snorkel snscrape
    sounddevice soundfile spacy spacy_transformers spaghetti SPARQLWrapper sparse specutils sphinx splot spreg
    sqlalchemy sqlalchemy_utils sqlglot sqlmodel squarify squidpy stackstac stanza stargazer statsforecast statsmodels
    stop_words strawberryfields streamlit sunpy sweetviz swifter sympy ta tables tabpfn tabulate tenacity tensorboardX
    tensorflow tensorflow_addons tensorflow_datasets tensorflow_hub tensorflow_probability tensorly termcolor textacy
    textblob textdistance textract textstat tf2onnx tf_keras thefuzz tiktoken timm tinydb tkinterdnd2 tobler tokenizers
    tomli tomlkit toolz top2vec torch torch_geometric torchaudio torchmetrics torchtext torchvision tornado tpot tqdm
    traitlets transformers tree_sitter trimesh tsfel tsfresh tslearn tushare tweepy typing_extensions tzlocal ujson
    umi_tools uncertainties unidecode unstructured uproot upsetplot urllib3 usaddress utm uvicorn vaderSentiment
    vega_datasets voila vpython vtk wandb wbgapi weasyprint websockets werkzeug wget wikidata wikipedia windrose wn
    wordcloud wordfreq wrapt xarray xesmf xgboost xlrd xlsxwriter xlwings xlwt xmltodict yahoo_fin yahoofinancials yake
    ydata_profiling yellowbrick yfinance youtube_dl yt_dlp zarr zstandard zstd zxcvbn
"""
SAME = frozenset(_NAMES.split())
